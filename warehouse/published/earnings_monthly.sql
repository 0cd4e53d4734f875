-- Sums of the ledger by month, lever, partner, product and customer; each line once, its entries summed before.
-- Lines that were published before are taken out as they were and put in as they are.
WITH fresh_entry AS (
    FROM derived.earnings_ledger WHERE posted_on >= $first AND lever <> 'settlement'
), old_line AS (
    SELECT transaction_id FROM line_versions WHERE replaces
    UNION
    SELECT transaction_id FROM fresh_entry ANTI JOIN line_versions USING (transaction_id) WHERE transaction_id IS NOT NULL
), old_entry AS (
    FROM derived.earnings_ledger SEMI JOIN old_line USING (transaction_id) WHERE posted_on < $first
), by_line AS (
    SELECT
        side, transaction_id, earning_month, program, lever, partner_id, currency, program_currency,
        count(*) AS row_count, sum(amount_minor) AS earning_minor, sum(program_amount_minor) AS program_earning_minor,
        coalesce(sum(amount_minor) FILTER (earning_type = 'rebate'), 0) AS rebate_minor,
        coalesce(sum(program_amount_minor) FILTER (earning_type = 'rebate'), 0) AS program_rebate_minor
    FROM (
        SELECT 1 AS side, * FROM fresh_entry UNION ALL SELECT 1, * FROM old_entry UNION ALL SELECT -1, * FROM old_entry
    ) GROUP BY ALL
), old_version AS (
    FROM clean.transactions SEMI JOIN old_line USING (transaction_id) WHERE known_from <= $as_of
), line AS (
    -- withdrawn lines too: what they were posted under stays where it was
    SELECT 1 AS side, transaction_id, product_id, customer_id FROM (FROM old_version UNION ALL SELECT * EXCLUDE (replaces) FROM line_versions WHERE NOT replaces)
    WHERE known_to IS NULL OR known_to > $as_of
    UNION ALL
    SELECT -1, transaction_id, arg_max(product_id, version), arg_max(customer_id, version) FROM (
        SELECT old_version.*, (business_date, created_at, delivery_id) AS version
        FROM old_version JOIN (SELECT delivery_id, created_at FROM seen WHERE NOT is_new) USING (delivery_id)
        WHERE business_date < $first
    ) GROUP BY transaction_id
)
SELECT
    earning_month, program, lever, partner_id, product_id, customer_id, currency, program_currency,
    sum(side * row_count)::BIGINT AS row_count, (count(transaction_id) FILTER (side = 1) - count(transaction_id) FILTER (side = -1)) AS line_count,
    sum(side * earning_minor)::BIGINT AS earning_minor, sum(side * rebate_minor)::BIGINT AS rebate_minor,
    sum(side * program_earning_minor)::BIGINT AS program_earning_minor,
    sum(side * program_rebate_minor)::BIGINT AS program_rebate_minor
FROM by_line LEFT JOIN line USING (transaction_id, side) GROUP BY ALL
