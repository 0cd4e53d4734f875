-- Each criterion of each program for each partner on 2 April 2021, with evidence, and the verdict.
CREATE TEMP TABLE rules AS SELECT * FROM (VALUES
    ('csp-indirect-reseller', 'indirect_reseller', 1, 'active_reseller', NULL, 'IVDRSLR', 'status not active'),
    ('csp-indirect-reseller', 'indirect_reseller', 2, 'active_agreement', ['mpn'], 'IVDMPN', 'no mpn agreement in force'),
    ('csp-indirect-reseller', 'indirect_reseller', 3, 'competency', NULL, 'IVDCOMP', 'no listed competency in force'),
    ('csp-indirect-reseller', 'indirect_reseller', 4, 'trailing_revenue', NULL, NULL, NULL),
    ('csp-indirect-reseller', 'indirect_reseller', 5, 'payee_profile', NULL, 'IVDPAYEE', 'bank or tax profile not approved'),
    ('csp-indirect-reseller', 'indirect_reseller', 6, 'same_country', NULL, 'IVDGEO', 'location and tenant in different countries'),
    ('csp-indirect-reseller', 'indirect_reseller', 7, 'enrolment', NULL, 'IVDINVT', 'not enrolled'),
    ('csp-direct-bill', 'direct_bill', 1, 'active_reseller', NULL, 'IVDRSLR', 'status not active'),
    ('csp-direct-bill', 'direct_bill', 2, 'active_agreement', ['mpn'], 'IVDMPN', 'no mpn agreement in force'),
    ('csp-direct-bill', 'direct_bill', 3, 'active_agreement', ['reseller', 'mpa'], 'IVDMCRA', 'no reseller or mpa agreement in force'),
    ('csp-direct-bill', 'direct_bill', 4, 'competency', NULL, 'IVDCOMP', 'no listed competency in force'),
    ('csp-direct-bill', 'direct_bill', 5, 'payee_profile', NULL, 'IVDPAYEE', 'bank or tax profile not approved'),
    ('csp-direct-bill', 'direct_bill', 6, 'same_country', NULL, 'IVDGEO', 'location and tenant in different countries'),
    ('csp-direct-bill', 'direct_bill', 7, 'enrolment', NULL, 'IVDINVT', 'not enrolled'),
    ('csp-indirect-provider', 'indirect_provider', 1, 'active_reseller', NULL, 'IVDRSLR', 'status not active'),
    ('csp-indirect-provider', 'indirect_provider', 2, 'active_agreement', ['mpn'], 'IVDMPN', 'no mpn agreement in force'),
    ('csp-indirect-provider', 'indirect_provider', 3, 'active_agreement', ['cloud_distributor', 'mpa'], 'IVDMCDA', 'no cloud_distributor or mpa agreement in force'),
    ('csp-indirect-provider', 'indirect_provider', 4, 'competency', NULL, 'IVDCOMP', 'no listed competency in force'),
    ('csp-indirect-provider', 'indirect_provider', 5, 'payee_profile', NULL, 'IVDPAYEE', 'bank or tax profile not approved'),
    ('csp-indirect-provider', 'indirect_provider', 6, 'same_country', NULL, 'IVDGEO', 'location and tenant in different countries'),
    ('csp-indirect-provider', 'indirect_provider', 7, 'enrolment', NULL, 'IVDINVT', 'not enrolled')
) AS rules (program, partner_type, criterion_number, criterion, any_of, reason_code, unmet);
CREATE TEMP TABLE first_sales AS
SELECT reseller_id AS partner_id, arg_min(transaction_id, (transaction_at, transaction_id)) AS transaction_id,
    min(transaction_on) AS transaction_on
FROM clean.transactions WHERE reseller_id IS NOT NULL GROUP BY reseller_id;
CREATE TEMP TABLE facts AS
SELECT partner_id, 'active_reseller' AS criterion, NULL AS kind, DATE '1900-01-01' AS valid_from, 'status active' AS evidence
FROM clean.partners WHERE reseller_status = 'active'
UNION ALL
SELECT partner_id, 'same_country', NULL, DATE '1900-01-01', 'both in ' || country FROM clean.partners WHERE country = tenant_country
UNION ALL
SELECT partner_id, 'active_agreement', agreement_type, greatest(signed_on, valid_from),
    'agreement ' || agreement_id || ' from ' || greatest(signed_on, valid_from) || coalesce(' until ' || valid_to, '')
FROM clean.agreements WHERE agreement_status <> 'pending' AND (valid_to IS NULL OR valid_to > DATE '2021-04-02')
UNION ALL
SELECT partner_id, 'competency', NULL, valid_from,
    competency || ' ' || competency_level || ' from ' || valid_from || coalesce(' until ' || valid_to, '')
FROM clean.competencies WHERE valid_to IS NULL OR valid_to > DATE '2021-04-02'
UNION ALL
SELECT partner_id, 'payee_profile', NULL, validated_on, 'bank and tax profiles approved on ' || validated_on
FROM clean.payee_profiles WHERE bank_status = 'approved' AND tax_status = 'approved'
UNION ALL
SELECT partner_id, 'enrolment', program, valid_from, enrolment_status || ' since ' || valid_from
FROM clean.enrolments WHERE enrolment_status IN ('action_required', 'validating_enrollment', 'enrolled');
CREATE TEMP TABLE criteria AS
SELECT program, partner.partner_id, criterion_number, rules.criterion,
    CASE WHEN rules.reason_code IS NULL THEN 'not_applicable' WHEN fact.evidence IS NULL THEN 'unmet' ELSE 'met' END AS status,
    fact.valid_from AS since, coalesce(fact.evidence, unmet) AS evidence,
    CASE WHEN fact.evidence IS NULL THEN reason_code END AS reason_code
FROM rules JOIN clean.partners AS partner USING (partner_type)
LEFT JOIN (
    SELECT program AS of_program, criterion_number AS of_number, facts.partner_id, min(facts.valid_from) AS valid_from,
        arg_min(facts.evidence, (facts.valid_from, facts.evidence)) AS evidence
    FROM rules JOIN facts ON facts.criterion = rules.criterion
        AND (kind IS NULL OR kind = program OR list_contains(any_of, kind))
    WHERE facts.valid_from <= DATE '2021-04-02' GROUP BY ALL
) AS fact ON of_program = program AND of_number = criterion_number AND fact.partner_id = partner.partner_id;
CREATE TEMP TABLE standing AS
SELECT program, partner_id,
    CASE count(*) FILTER (status = 'unmet') WHEN 0 THEN 'eligible' WHEN 1 THEN 'almost_eligible' ELSE 'ineligible' END AS eligibility,
    string_agg(reason_code, ',' ORDER BY criterion_number) AS reason_codes,
    CASE WHEN count(*) FILTER (status = 'unmet') = 0 THEN date_trunc('month', max(since))::DATE END AS earns_from
FROM criteria GROUP BY ALL;
INSERT INTO derived.invitations BY NAME
SELECT 'csp-indirect-reseller' AS program, partner_id, transaction_id, DATE '2021-04-02' AS invited_on
FROM first_sales SEMI JOIN (FROM clean.partners WHERE partner_type = 'indirect_reseller') USING (partner_id)
ANTI JOIN derived.invitations USING (partner_id);
