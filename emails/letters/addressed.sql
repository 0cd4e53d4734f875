-- What is due, each with the addresses of the incentives admins of the location and program: of all programs for what is
-- about all, else of the program too. Nothing where there are none.
SELECT * FROM (
    SELECT due.*, (
        SELECT list(DISTINCT user_email ORDER BY user_email) FROM users
        WHERE role = 'incentives_admin' AND users.partner_id = due.partner_id AND users.program IN ('*', due.program)
    ) AS recipients
    FROM $due AS due
) WHERE recipients IS NOT NULL ORDER BY key
