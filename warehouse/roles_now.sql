-- Roles of users as known on the day: as delivered, and over it what accepted requests assigned or removed since.
CREATE OR REPLACE TEMP VIEW roles_now AS
SELECT user_email, user_name, role, partner_id, program FROM (
    FROM (
        SELECT
            lower(user_email) AS user_email, user_name, role, partner_id, program, known_from AS said_on, NULL AS requested_at,
            NOT is_withdrawn AS is_held
        FROM clean.users WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
        UNION ALL BY NAME
        SELECT
            lower(user_email) AS user_email, coalesce(user_name, user_email) AS user_name, role, answer.partner_id, answer.program,
            answered_on AS said_on, requested_at, request_id, answer.request_kind = 'assign_role' AS is_held
        FROM derived.answered_requests AS answer JOIN clean.partner_requests AS asked USING (request_id)
        WHERE answer.request_kind IN ('assign_role', 'remove_role') AND outcome = 'accepted' AND answered_on <= $as_of
            AND known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
    ) QUALIFY row_number() OVER (
        PARTITION BY user_email, partner_id, program ORDER BY said_on DESC, requested_at DESC NULLS LAST, request_id DESC
    ) = 1
) WHERE is_held
