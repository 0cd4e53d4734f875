-- Invitations that still stand; a location that does not meet the requirements is told when it does.
SELECT
    program || ':' || partner_id AS key, partner_id, partner_name, program, program_title, invited_on, transaction_id,
    valid_to - 1 AS holds_to
FROM invitations JOIN enrolments USING (program, partner_id) JOIN partners USING (partner_id)
JOIN (SELECT DISTINCT program, program_title FROM programs) USING (program)
WHERE enrolment_status = 'invited' AND invited_on >= $since
