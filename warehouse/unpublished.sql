-- What runs after run number $published were the first to see, and all versions of the lines that this brought or changed.
-- A line replaces what is published of it when an earlier delivery holds a version of it as well.
CREATE OR REPLACE TEMP TABLE seen AS
SELECT delivery_id, business_date AS known_from, created_at, run_number > $published AS is_new
FROM (SELECT run_number, unnest(from_json(deliveries, '["VARCHAR"]')) AS delivery_id FROM derived.runs)
JOIN clean.deliveries USING (delivery_id)
WHERE delivery_status = 'accepted';
CREATE OR REPLACE TEMP TABLE line_versions AS
WITH brought AS (
    SELECT DISTINCT transaction_id FROM clean.transactions
    SEMI JOIN (SELECT delivery_id, known_from FROM seen WHERE is_new) USING (delivery_id, known_from)
), versions AS (
    FROM clean.transactions SEMI JOIN brought USING (transaction_id) WHERE known_from <= $as_of
), changed AS (
    SELECT DISTINCT transaction_id FROM versions ANTI JOIN (FROM seen WHERE is_new) USING (delivery_id)
)
SELECT versions.*, changed.transaction_id IS NOT NULL AS replaces FROM versions LEFT JOIN changed USING (transaction_id);
