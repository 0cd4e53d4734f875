-- Each criterion of each program for each partner on the day, with evidence.
WITH earliest AS (
    SELECT program, criterion_number, partner_id, min(valid_from) AS valid_from,
        arg_min(evidence, (valid_from, evidence)) AS evidence
    FROM {{ ref('rules') }} JOIN {{ ref('facts') }} USING (criterion)
    WHERE (kind IS NULL OR kind = program OR list_contains(string_split(any_of, ' '), kind)) AND valid_from <= {{ day() }}
    GROUP BY program, criterion_number, partner_id
)
SELECT program, partner_id, criterion_number, criterion,
    CASE WHEN reason_code IS NULL THEN 'not_applicable' WHEN earliest.evidence IS NULL THEN 'unmet' ELSE 'met' END AS status,
    earliest.valid_from AS since, coalesce(earliest.evidence, unmet) AS evidence,
    CASE WHEN earliest.evidence IS NULL THEN reason_code END AS reason_code
FROM {{ ref('rules') }} JOIN {{ source('clean', 'partners') }} USING (partner_type)
LEFT JOIN earliest USING (program, criterion_number, partner_id)
