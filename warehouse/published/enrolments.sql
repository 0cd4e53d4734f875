-- How each enrolment stands on the day, since when, and why; and how it is to stand from its end on, as is known.
SELECT
    program, partner_id, enrolment_status, valid_from, valid_to, next_status, evidence, held.reason_code, reason,
    coalesce(partner_can_act, false) AS partner_can_act, nullif(what_to_do, '') AS what_to_do
FROM derived.enrolments AS held LEFT JOIN reasons USING (reason_code)
LEFT JOIN (
    SELECT program, partner_id, valid_from AS valid_to, enrolment_status AS next_status FROM derived.enrolments
    WHERE known_to IS NULL AND valid_from > $as_of
) USING (program, partner_id, valid_to)
WHERE known_to IS NULL AND valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
