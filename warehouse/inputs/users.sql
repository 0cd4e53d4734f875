-- Roles of users as known on the day.
SELECT lower(user_email) AS user_email, role, partner_id, program
FROM clean.users WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
