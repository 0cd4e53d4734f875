MODEL (
  name published.main.invitations,
  kind FULL,
  description 'One invitation of a partner to a program.',
  audits (
    not_null(columns := (program, partner_id, invited_on)),
    unique_combination_of_columns(columns := (program, partner_id))
  )
);

SELECT program, partner_id, transaction_id, invited_on FROM derived.invitations
