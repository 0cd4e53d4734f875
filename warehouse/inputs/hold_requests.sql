-- Accepted requests to hold payments or to release them.
SELECT partner_id, program, request_kind, requested_at, request_id
FROM derived.answered_requests JOIN (
    SELECT request_id, requested_at FROM clean.partner_requests WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
) USING (request_id)
WHERE request_kind IN ('hold_payment', 'release_payment') AND outcome = 'accepted' AND answered_on <= $as_of
