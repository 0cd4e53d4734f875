-- Sums of the ledger by month, lever, partner, product and customer; each line once, its entries summed before.
WITH by_line AS (
    SELECT
        transaction_id, earning_month, program, lever, partner_id, currency, program_currency,
        sum(amount_minor) AS earning_minor, sum(program_amount_minor) AS program_earning_minor,
        coalesce(sum(amount_minor) FILTER (earning_type = 'rebate'), 0) AS rebate_minor,
        coalesce(sum(program_amount_minor) FILTER (earning_type = 'rebate'), 0) AS program_rebate_minor
    FROM derived.earnings_ledger GROUP BY ALL
), line AS (
    -- withdrawn lines too: what they were posted under stays where it was
    SELECT transaction_id, product_id, customer_id FROM clean.transactions
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
), summed AS (
    SELECT
        earning_month, program, lever, partner_id, product_id, customer_id, currency, program_currency, count(transaction_id) AS line_count,
        sum(earning_minor)::BIGINT AS earning_minor, sum(rebate_minor)::BIGINT AS rebate_minor,
        sum(program_earning_minor)::BIGINT AS program_earning_minor, sum(program_rebate_minor)::BIGINT AS program_rebate_minor
    FROM by_line LEFT JOIN line USING (transaction_id) GROUP BY ALL
)
SELECT
    summed.*, earning_minor - rebate_minor AS coop_minor,
    program_earning_minor - program_rebate_minor AS program_coop_minor,
    coalesce(rule.is_illustrative, false) AS is_illustrative
FROM summed LEFT JOIN (SELECT program, lever, is_illustrative FROM program_levers) AS rule
    ON rule.program = summed.program AND rule.lever = summed.lever
