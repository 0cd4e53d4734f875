-- How each enrolment stands on the day, since when, and why.
SELECT
    program, partner_id, enrolment_status, valid_from, valid_to, evidence, held.reason_code, reason,
    coalesce(partner_can_act, false) AS partner_can_act, nullif(what_to_do, '') AS what_to_do
FROM derived.enrolments AS held LEFT JOIN reasons USING (reason_code)
WHERE known_to IS NULL AND valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
