-- Payments and where they stand.
SELECT *, false AS replaces FROM derived.payments WHERE known_from >= $first AND known_from IS DISTINCT FROM known_to
UNION ALL
SELECT *, true AS replaces FROM derived.payments WHERE known_from < $first AND known_to >= $first
