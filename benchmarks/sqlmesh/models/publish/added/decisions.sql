MODEL (
  name published.added.decisions,
  kind CUSTOM (materialization 'parquet'),
  description 'What became of one line in one program.',
  depends_on (published.added.transactions),
  audits (
    not_null(columns := (transaction_id, program, partner_id, decision, reference_on, earning_month, revenue, currency,
        rule_version, known_from)),
    published_lines,
    accepted_values(column := decision, is_in := ('eligible', 'ineligible', 'undecided')),
    unique_combination_of_columns(columns := (transaction_id, program))
  )
);

SELECT transaction_id, program, partner_id, decision, levers, reason_codes, reference_on, earning_month,
    @amount(revenue_minor) AS revenue, currency, rule_version, known_from
FROM derived.decisions JOIN meta.currencies USING (currency) WHERE known_from = @end_date;

AUDIT (name published_lines);
-- Every decision is of a line that is published.
SELECT transaction_id FROM @this_model ANTI JOIN published.added.transactions USING (transaction_id)
