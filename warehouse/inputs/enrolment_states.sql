-- What enrolment data states, as known on the day.
SELECT partner_id, program, enrolment_status, valid_from, valid_to
FROM clean.enrolments SEMI JOIN touched_partners USING (partner_id)
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
