MODEL (
  name published.added.ineligible_revenue,
  kind CUSTOM (materialization 'parquet'),
  description 'Revenue of one partner in one month that earns nothing, for one set of reasons.',
  depends_on (published.added.decisions),
  audits (
    not_null(columns := (earning_month, program, partner_id, currency, decision, reason_codes, line_count, revenue)),
    accepted_values(column := decision, is_in := ('eligible', 'ineligible', 'undecided')),
    unique_combination_of_columns(columns := (earning_month, program, partner_id, currency, decision, reason_codes)),
    published_total
  )
);

SELECT earning_month, program, partner_id, currency, decision, reason_codes, count(*) AS line_count,
    @amount(sum(revenue_minor)::BIGINT, any_value(exponent)) AS revenue
FROM derived.decisions JOIN meta.currencies USING (currency)
WHERE decision <> 'eligible' AND known_from = @end_date
GROUP BY earning_month, program, partner_id, currency, decision, reason_codes;

AUDIT (name published_total);
-- Ineligible revenue is the revenue of the lines that earn nothing.
SELECT program, currency FROM (
    SELECT program, currency, revenue FROM published.added.decisions WHERE decision <> 'eligible'
    UNION ALL SELECT program, currency, -revenue FROM @this_model
) GROUP BY ALL HAVING sum(revenue) <> 0
