MODEL (
  name working.agreements,
  kind INCREMENTAL_BY_TIME_RANGE (time_column known_from),
  description 'Agreements as delivered on the day.',
  audits (
    not_null(columns := (agreement_id, partner_id, agreement_type, agreement_status, signed_on, valid_from)),
    unique_values(columns := (agreement_id)),
    accepted_values(column := agreement_type, is_in := ('mpn', 'cloud_distributor', 'reseller', 'mpa')),
    accepted_values(column := agreement_status, is_in := ('active', 'pending', 'expired', 'terminated')),
    order_valid_to,
    ended_valid_to,
    agreements_are_unchanged
  )
);

SELECT agreement_id, partner_id, agreement_type, agreement_status, signed_on::DATE AS signed_on,
    valid_from::DATE AS valid_from, valid_to::DATE AS valid_to, @end_date AS known_from
FROM read_csv(@deliveries || '/*-agreements/*.csv', all_varchar = true, header = true, filename = true)
WHERE filename LIKE '%/' || @end_ds || '-agreements/%';

AUDIT (name order_valid_to);
SELECT * FROM @this_model WHERE NOT (valid_to IS NULL OR valid_to > valid_from);

AUDIT (name ended_valid_to);
SELECT * FROM @this_model WHERE NOT (agreement_status NOT IN ('expired', 'terminated') OR valid_to IS NOT NULL);

AUDIT (name agreements_are_unchanged);
-- Agreements that are stored already stay as they are.
SELECT agreement_id, partner_id, agreement_type, agreement_status, signed_on, valid_from, valid_to FROM @this_model
EXCEPT
SELECT agreement_id, partner_id, agreement_type, agreement_status, signed_on, valid_from, valid_to FROM clean.agreements
