MODEL (
  name published.added.liability,
  kind CUSTOM (materialization 'parquet'),
  description 'What is owed of one kind of money of one program in one currency over one accounting month.',
  depends_on (published.added.earnings_ledger),
  audits (
    not_null(columns := (period, program, earning_type, currency, earned)),
    accepted_values(column := earning_type, is_in := ('rebate', 'coop')),
    unique_combination_of_columns(columns := (period, program, earning_type, currency)),
    published_closing
  )
);

SELECT period, program, earning_type, currency, @amount(sum(amount_minor)::BIGINT, any_value(exponent)) AS earned
FROM derived.earnings_ledger JOIN meta.currencies USING (currency) WHERE posted_on = @end_date
GROUP BY period, program, earning_type, currency;

AUDIT (name published_closing);
-- The liability is the ledger's.
SELECT program, earning_type, currency FROM (
    SELECT program, earning_type, currency, earned AS moved FROM @this_model
    UNION ALL SELECT program, earning_type, currency, -amount FROM published.added.earnings_ledger
) GROUP BY ALL HAVING sum(moved) <> 0
