-- Partner locations over time; the first known state is taken to hold before it, since partners carry no dates.
SELECT
    partner_id, partner_type, reseller_status, country, tenant_country,
    CASE WHEN lag(known_from) OVER versions IS NULL THEN DATE '1900-01-01' ELSE known_from END AS valid_from,
    CASE WHEN known_to <= $as_of THEN known_to END AS valid_to
FROM clean.partners SEMI JOIN judged_partners USING (partner_id)
WHERE known_from <= $as_of AND known_from IS DISTINCT FROM known_to AND NOT is_withdrawn
WINDOW versions AS (PARTITION BY partner_id ORDER BY known_from)
