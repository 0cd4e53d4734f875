MODEL (
  name working.facts,
  kind FULL,
  description 'What is known of partners that a criterion may ask for, since when, and the evidence.'
);

SELECT partner_id, 'active_reseller' AS criterion, NULL AS kind, DATE '1900-01-01' AS valid_from, NULL::DATE AS valid_to,
    'status active' AS evidence
FROM clean.partners WHERE reseller_status = 'active'
UNION ALL
SELECT partner_id, 'same_country', NULL, DATE '1900-01-01', NULL, 'both in ' || country
FROM clean.partners WHERE country = tenant_country
UNION ALL
SELECT partner_id, 'active_agreement', agreement_type, greatest(signed_on, valid_from), valid_to,
    'agreement ' || agreement_id || ' from ' || greatest(signed_on, valid_from) || coalesce(' until ' || valid_to, '')
FROM clean.agreements WHERE agreement_status <> 'pending'
UNION ALL
SELECT partner_id, 'competency', NULL, valid_from, valid_to,
    competency || ' ' || competency_level || ' from ' || valid_from || coalesce(' until ' || valid_to, '')
FROM clean.competencies
UNION ALL
SELECT partner_id, 'payee_profile', NULL, validated_on, NULL, 'bank and tax profiles approved on ' || validated_on
FROM clean.payee_profiles WHERE bank_status = 'approved' AND tax_status = 'approved'
UNION ALL
SELECT partner_id, 'enrolment', program, valid_from, NULL, enrolment_status || ' since ' || valid_from
FROM clean.enrolments WHERE enrolment_status IN ('action_required', 'validating_enrollment', 'enrolled')
