-- Roles of users as known on the day.
SELECT user_email, role, partner_id, program FROM roles_now
