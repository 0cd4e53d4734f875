-- Competencies as known on the day.
SELECT partner_id, competency, competency_level, valid_from, valid_to
FROM clean.competencies SEMI JOIN judged_partners USING (partner_id)
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
