-- Each criterion over all days, with its evidence.
SELECT *, false AS replaces FROM derived.eligibility_criteria WHERE known_from >= $first AND known_from IS DISTINCT FROM known_to
UNION ALL
SELECT *, true AS replaces FROM derived.eligibility_criteria WHERE known_from < $first AND known_to >= $first
