-- Locations whose set-up was completed, with all who have a role there; where nobody is admin of all programs, each
-- program's admins see who has a role in it or in all.
WITH admins AS (
    SELECT DISTINCT partner_id, program FROM users WHERE role = 'incentives_admin' AND set_up_on >= $since
), told AS (
    FROM admins WHERE program = '*' UNION ALL FROM admins ANTI JOIN (FROM admins WHERE program = '*') USING (partner_id)
)
SELECT
    partner_id || CASE told.program WHEN '*' THEN '' ELSE ':' || told.program END AS key, partner_id, partner_name, told.program,
    list({'name': user_name, 'email': user_email, 'role': role, 'program': users.program} ORDER BY user_name, users.program) AS people
FROM told JOIN users USING (partner_id) JOIN partners USING (partner_id)
WHERE told.program = '*' OR users.program IN ('*', told.program) GROUP BY partner_id, partner_name, told.program
