-- Roles of users as known on the day; a location's data is theirs to see once its admin has completed the set-up.
SELECT user_email, user_name, role, partner_id, program, set_up_on
FROM roles_now LEFT JOIN (
    SELECT partner_id, min(answered_on) AS set_up_on FROM derived.answered_requests
    WHERE request_kind = 'complete_set_up' AND outcome = 'accepted' AND answered_on <= $as_of GROUP BY partner_id
) USING (partner_id)
