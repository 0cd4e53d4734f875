-- Every partner location that was ever delivered.
SELECT DISTINCT partner_id FROM clean.partners WHERE known_from <= $as_of
