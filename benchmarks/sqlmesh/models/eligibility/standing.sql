MODEL (
  name working.standing,
  kind INCREMENTAL_BY_TIME_RANGE (time_column as_of),
  description 'A partner''s standing in a program on a day.',
  audits (
    not_null(columns := (program, partner_id, eligibility)),
    accepted_values(column := eligibility, is_in := ('eligible', 'almost_eligible', 'ineligible', 'unknown')),
    unique_combination_of_columns(columns := (program, partner_id))
  )
);

SELECT as_of, program, partner_id,
    CASE count(*) FILTER (status = 'unmet') WHEN 0 THEN 'eligible' WHEN 1 THEN 'almost_eligible' ELSE 'ineligible' END AS eligibility,
    string_agg(reason_code, ',' ORDER BY criterion_number) AS reason_codes,
    CASE WHEN count(*) FILTER (status = 'unmet') = 0 THEN date_trunc('month', max(since))::DATE END AS earns_from
FROM working.criteria WHERE as_of = @end_date GROUP BY as_of, program, partner_id
