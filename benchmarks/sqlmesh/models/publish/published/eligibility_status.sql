MODEL (
  name published.main.eligibility_status,
  kind FULL,
  description 'The verdict on one partner in one program as of the day.',
  audits (
    not_null(columns := (program, partner_id, eligibility)),
    accepted_values(column := eligibility, is_in := ('eligible', 'almost_eligible', 'ineligible', 'unknown')),
    unique_combination_of_columns(columns := (program, partner_id))
  )
);

SELECT * EXCLUDE (as_of) FROM working.standing WHERE as_of = (SELECT max(as_of) FROM working.standing)
