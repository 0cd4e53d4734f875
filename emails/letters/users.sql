-- Locations whose set-up was completed, with all who have a role there.
SELECT
    partner_id AS key, partner_id, partner_name, '*' AS program,
    list({'name': user_name, 'email': user_email, 'role': role, 'program': program} ORDER BY user_name, program) AS people
FROM users JOIN partners USING (partner_id) WHERE set_up_on >= $since GROUP BY partner_id, partner_name
