-- Billing lines; each with the delivery, file and line that it came from.
-- A version that another of the same day has replaced stays as an empty span, so that readers no longer see it.
SELECT * REPLACE (CASE WHEN known_to <= $as_of THEN known_to END AS known_to) FROM line_versions
WHERE NOT is_withdrawn AND (replaces OR known_from IS DISTINCT FROM known_to)
