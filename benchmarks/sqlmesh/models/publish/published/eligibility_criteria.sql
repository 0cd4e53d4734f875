MODEL (
  name published.main.eligibility_criteria,
  kind FULL,
  description 'One criterion of a program for one partner as of the day.',
  audits (
    not_null(columns := (program, partner_id, criterion_number, criterion, status)),
    accepted_values(column := criterion, is_in := ('active_reseller', 'active_agreement', 'competency', 'enrolment',
        'not_own_customer', 'payee_profile', 'same_country', 'trailing_revenue')),
    accepted_values(column := status, is_in := ('met', 'unmet', 'unknown', 'not_applicable')),
    unique_combination_of_columns(columns := (program, partner_id, criterion_number))
  )
);

SELECT * EXCLUDE (as_of) FROM working.criteria WHERE as_of = (SELECT max(as_of) FROM working.criteria)
