-- Each partner's standing on the day.
SELECT
    standing.program, standing.partner_id, standing.eligibility, standing.reason_codes, spans.earns_from, spans.earns_to,
    standing.reason_codes IS NOT NULL AND EXISTS (
        SELECT 1 FROM reasons WHERE partner_can_act AND list_contains(string_split(standing.reason_codes, ','), reason_code)
    ) AS partner_can_act
FROM derived.eligibility AS standing
LEFT JOIN (
    SELECT program, partner_id, arg_max(earns_from, earns_from) AS earns_from, arg_max(earns_to, earns_from) AS earns_to
    FROM (
        SELECT program, partner_id, min(valid_from) AS earns_from,
            CASE WHEN bool_or(valid_to IS NULL) THEN NULL ELSE max(valid_to) END AS earns_to
        FROM (
            SELECT *, sum(starts) OVER (PARTITION BY program, partner_id ORDER BY valid_from) AS span
            FROM (
                SELECT *, (NOT coalesce(lag(is_earning) OVER (PARTITION BY program, partner_id ORDER BY valid_from), false))::INT AS starts
                FROM derived.eligibility WHERE known_to IS NULL
            )
        ) WHERE is_earning GROUP BY program, partner_id, span
    ) WHERE earns_from <= $as_of GROUP BY program, partner_id
) AS spans USING (program, partner_id)
WHERE standing.known_to IS NULL AND standing.valid_from <= $as_of
    AND (standing.valid_to IS NULL OR standing.valid_to > $as_of)
