-- Accepted requests to enrol.
SELECT program, partner_id, request_id, answered_on
FROM derived.answered_requests SEMI JOIN touched_partners USING (partner_id)
WHERE request_kind = 'enrol' AND outcome = 'accepted' AND answered_on <= $as_of
