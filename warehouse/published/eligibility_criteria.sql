-- How each criterion stands on the day, with its evidence and what the partner can do.
SELECT
    program, partner_id, criterion_number, criterion, status, valid_from, valid_to, evidence, criteria.reason_code,
    reasons.reason, coalesce(reasons.partner_can_act, false) AS partner_can_act, nullif(reasons.what_to_do, '') AS what_to_do
FROM derived.eligibility_criteria AS criteria LEFT JOIN reasons USING (reason_code)
WHERE known_to IS NULL AND valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
