MODEL (
  name derived.decisions,
  kind INCREMENTAL_BY_TIME_RANGE (time_column known_from),
  description 'What became of one line in one program.',
  audits (
    not_null(columns := (transaction_id, program, partner_id, decision, reference_on, earning_month, revenue_minor,
        currency, rule_version)),
    accepted_values(column := decision, is_in := ('eligible', 'ineligible', 'undecided')),
    unique_combination_of_columns(columns := (transaction_id, program)),
    explained_decision
  )
);

SELECT transaction_id, program, partner_id, NULL::VARCHAR AS claim_id, decision,
    CASE WHEN decision = 'eligible' THEN lever END AS levers, reason_codes, reference_on,
    date_trunc('month', reference_on)::DATE AS earning_month, revenue_minor, currency, 'sqlmesh' AS rule_version,
    @end_date AS known_from, NULL::DATE AS known_to
FROM working.decided WHERE known_from = @end_date;

AUDIT (name explained_decision);
SELECT * FROM @this_model WHERE NOT (CASE decision WHEN 'eligible' THEN levers IS NOT NULL AND reason_codes IS NULL ELSE reason_codes IS NOT NULL END)
