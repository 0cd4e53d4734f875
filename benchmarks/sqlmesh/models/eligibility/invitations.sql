MODEL (
  name derived.invitations,
  kind INCREMENTAL_BY_TIME_RANGE (time_column invited_on),
  description 'One invitation of a partner to a program, due once for ever.',
  audits (
    not_null(columns := (program, partner_id, invited_on)),
    unique_combination_of_columns(columns := (program, partner_id))
  )
);

SELECT 'csp-indirect-reseller' AS program, partner_id::TEXT AS partner_id, transaction_id::TEXT AS transaction_id,
    @end_date AS invited_on
FROM working.first_sales
SEMI JOIN (FROM clean.partners WHERE partner_type = 'indirect_reseller') USING (partner_id)
ANTI JOIN (FROM derived.invitations WHERE invited_on < @end_date) USING (partner_id)
