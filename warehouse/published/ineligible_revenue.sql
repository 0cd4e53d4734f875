-- Revenue that earns nothing; a line counts once a program, whatever number of reasons it has.
SELECT
    earning_month, program, partner_id, currency, decision, reason_codes,
    sum(row_count) AS line_count, sum(row_count) AS row_count, sum(row_count * revenue_minor)::BIGINT AS revenue_minor
FROM (
    SELECT *, 1 AS row_count FROM derived.decisions WHERE known_from >= $first AND known_to IS NULL
    UNION ALL
    SELECT *, -1 AS row_count FROM derived.decisions WHERE known_from < $first AND known_to >= $first
) WHERE decision <> 'eligible'
GROUP BY earning_month, program, partner_id, currency, decision, reason_codes
