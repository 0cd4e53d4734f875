-- Partner locations as known on the day.
SELECT * FROM clean.partners
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
