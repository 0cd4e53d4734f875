-- Co-op claims for which the reviewer wants more, of locations that are set up.
SELECT
    concat_ws(':', request_id, status_on) AS key, request_id, partner_id, partner_name, program, program_title, requested,
    currency, activity_type
FROM coop_claims JOIN partners USING (partner_id) JOIN (SELECT DISTINCT program, program_title FROM programs) USING (program)
WHERE coop_claim_status = 'action_required' AND status_on >= $since
    AND partner_id IN (SELECT partner_id FROM users WHERE set_up_on IS NOT NULL)
