MODEL (
  name working.criteria,
  kind INCREMENTAL_BY_TIME_RANGE (time_column as_of),
  description 'How one criterion of a program stood for one partner on a day, with evidence.',
  audits (
    not_null(columns := (program, partner_id, criterion_number, criterion, status)),
    accepted_values(column := criterion, is_in := ('active_reseller', 'active_agreement', 'competency', 'enrolment',
        'not_own_customer', 'payee_profile', 'same_country', 'trailing_revenue')),
    accepted_values(column := status, is_in := ('met', 'unmet', 'unknown', 'not_applicable')),
    unique_combination_of_columns(columns := (program, partner_id, criterion_number)),
    evidence_met,
    reason_unmet
  )
);

WITH earliest AS (
    SELECT program, criterion_number, partner_id, min(valid_from) AS valid_from,
        arg_min(evidence, (valid_from, evidence)) AS evidence
    FROM working.rules JOIN working.facts USING (criterion)
    WHERE (kind IS NULL OR kind = program OR list_contains(string_split(any_of, ' '), kind))
        AND valid_from <= @end_date AND (valid_to IS NULL OR valid_to > @end_date)
    GROUP BY program, criterion_number, partner_id
)
SELECT @end_date AS as_of, program, partner_id, criterion_number, criterion,
    CASE WHEN reason_code IS NULL THEN 'not_applicable' WHEN earliest.evidence IS NULL THEN 'unmet' ELSE 'met' END AS status,
    earliest.valid_from AS since, coalesce(earliest.evidence, unmet) AS evidence,
    CASE WHEN earliest.evidence IS NULL THEN reason_code END AS reason_code
FROM working.rules JOIN clean.partners USING (partner_type)
LEFT JOIN earliest USING (program, criterion_number, partner_id);

AUDIT (name evidence_met);
SELECT * FROM @this_model WHERE NOT (status <> 'met' OR evidence IS NOT NULL);

AUDIT (name reason_unmet);
SELECT * FROM @this_model WHERE NOT (status NOT IN ('unmet', 'unknown') OR reason_code IS NOT NULL)
