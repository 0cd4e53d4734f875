-- Roles of users as known on the day; a location's data is theirs to see once its admin has completed the set-up.
SELECT lower(user_email) AS user_email, user_name, role, partner_id, program, set_up_on
FROM clean.users LEFT JOIN (
    SELECT partner_id, min(answered_on) AS set_up_on FROM derived.answered_requests
    WHERE request_kind = 'complete_set_up' AND outcome = 'accepted' AND answered_on <= $as_of GROUP BY partner_id
) USING (partner_id)
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
