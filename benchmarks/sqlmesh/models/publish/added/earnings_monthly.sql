MODEL (
  name published.added.earnings_monthly,
  kind CUSTOM (materialization 'parquet'),
  description 'What one partner earned in one month from one lever, product and customer in one currency.',
  depends_on (published.added.earnings_ledger),
  audits (
    not_null(columns := (earning_month, program, lever, partner_id, currency, line_count, earning, rebate,
        program_currency, program_earning, program_rebate)),
    unique_combination_of_columns(columns := (earning_month, program, lever, partner_id, product_id, customer_id, currency)),
    published_ledger
  )
);

SELECT earning_month, program, lever, partner_id, product_id, customer_id, ledger.currency, program_currency,
    count(DISTINCT transaction_id) AS line_count, @amount(sum(amount_minor)::BIGINT, any_value(exponent)) AS earning,
    @amount(coalesce(sum(amount_minor) FILTER (earning_type = 'rebate'), 0)::BIGINT, any_value(exponent)) AS rebate,
    @amount(sum(program_amount_minor)::BIGINT, 2) AS program_earning,
    @amount(coalesce(sum(program_amount_minor) FILTER (earning_type = 'rebate'), 0)::BIGINT, 2) AS program_rebate
FROM derived.earnings_ledger AS ledger
JOIN (SELECT transaction_id, product_id, customer_id FROM clean.transactions WHERE known_from = @end_date) USING (transaction_id)
JOIN meta.currencies AS own ON own.currency = ledger.currency
WHERE posted_on = @end_date
GROUP BY earning_month, program, lever, partner_id, product_id, customer_id, ledger.currency, program_currency;

AUDIT (name published_ledger);
-- Published sums are the ledger's sums.
SELECT program, currency FROM (
    SELECT program, currency, earning FROM @this_model
    UNION ALL SELECT program, currency, -amount FROM published.added.earnings_ledger WHERE lever <> 'settlement'
) GROUP BY ALL HAVING sum(earning) <> 0
