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
    -- withdrawn lines too: what they were posted under stays where it was
    SELECT transaction_id, product_id, customer_id FROM clean.transactions
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
) AS line USING (transaction_id)
LEFT JOIN (SELECT program, lever, is_illustrative FROM program_levers) AS rule
    ON rule.program = ledger.program AND rule.lever = ledger.lever
GROUP BY ALL
