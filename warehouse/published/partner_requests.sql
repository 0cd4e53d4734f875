-- What partners asked for, newest last, each with its answer.
SELECT
    request_id, partner_id, program, request_kind, requested_at, requested_by, subject, outcome, answered_on, answer.reason_code,
    reason, what_to_do
FROM derived.answered_requests AS answer LEFT JOIN reasons USING (reason_code) JOIN (
    SELECT request_id, requested_at, requested_by, subject FROM clean.partner_requests
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
) USING (request_id)
WHERE answered_on <= $as_of
