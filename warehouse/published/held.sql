-- How many versions without an end the warehouse holds: as many as the parts together must have.
SELECT 'decisions' AS name, count(*) AS held FROM derived.decisions WHERE known_to IS NULL
UNION ALL SELECT 'earnings', count(*) FROM derived.earnings WHERE known_to IS NULL
UNION ALL SELECT 'eligibility_history', count(*) FROM derived.eligibility_criteria WHERE known_to IS NULL
UNION ALL SELECT 'payments', count(*) FROM derived.payments WHERE known_to IS NULL
