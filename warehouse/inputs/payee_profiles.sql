-- Bank and tax profiles over time; the first known state is taken to hold before it unless it says since when.
SELECT
    partner_id, bank_status, tax_status, validated_on,
    CASE WHEN lag(known_from) OVER versions IS NULL THEN DATE '1900-01-01' ELSE known_from END AS valid_from,
    CASE WHEN known_to <= $as_of THEN known_to END AS valid_to
FROM clean.payee_profiles SEMI JOIN judged_partners USING (partner_id)
WHERE known_from <= $as_of AND known_from IS DISTINCT FROM known_to AND NOT is_withdrawn
WINDOW versions AS (PARTITION BY partner_id ORDER BY known_from)
