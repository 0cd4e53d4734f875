-- Sums of the ledger by month, lever, partner, product and customer.
SELECT
    earning_month, ledger.program, ledger.lever, ledger.partner_id, line.product_id, line.customer_id, ledger.currency,
    program_currency, coalesce(bool_or(rule.is_illustrative), false) AS is_illustrative, count(DISTINCT ledger.transaction_id) AS line_count,
    sum(amount_minor)::BIGINT AS earning_minor,
    coalesce(sum(amount_minor) FILTER (earning_type = 'rebate'), 0)::BIGINT AS rebate_minor,
    coalesce(sum(amount_minor) FILTER (earning_type = 'coop'), 0)::BIGINT AS coop_minor,
    sum(program_amount_minor)::BIGINT AS program_earning_minor,
    coalesce(sum(program_amount_minor) FILTER (earning_type = 'rebate'), 0)::BIGINT AS program_rebate_minor,
    coalesce(sum(program_amount_minor) FILTER (earning_type = 'coop'), 0)::BIGINT AS program_coop_minor
FROM derived.earnings_ledger AS ledger
JOIN (
    SELECT transaction_id, arg_max(product_id, known_from) AS product_id, arg_max(customer_id, known_from) AS customer_id
    FROM clean.transactions WHERE known_from <= $as_of GROUP BY transaction_id
) AS line USING (transaction_id)
LEFT JOIN (SELECT program, lever, is_illustrative FROM program_levers) AS rule
    ON rule.program = ledger.program AND rule.lever = ledger.lever
GROUP BY ALL
