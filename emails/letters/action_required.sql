-- Enrolments that wait for the partner.
SELECT
    concat_ws(':', program, partner_id, valid_from) AS key, partner_id, partner_name, program, program_title, reason, what_to_do
FROM enrolments JOIN partners USING (partner_id) JOIN (SELECT DISTINCT program, program_title FROM programs) USING (program)
WHERE enrolment_status = 'action_required' AND valid_from >= $since
