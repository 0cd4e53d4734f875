-- How each claimed association stands, with why it does not count and what the partner can do.
SELECT
    associations.* EXCLUDE (known_from, known_to), reasons.reason, coalesce(reasons.partner_can_act, false) AS partner_can_act,
    nullif(reasons.what_to_do, '') AS what_to_do
FROM derived.associations LEFT JOIN reasons USING (reason_code)
WHERE known_to IS NULL
