-- The first accepted transaction of each indirect reseller; its day is found first, so that the rest is read of few.
WITH live AS NOT MATERIALIZED (
    SELECT reseller_id, transaction_id, transaction_at, transaction_on
    FROM clean.transactions SEMI JOIN touched_partners ON touched_partners.partner_id = reseller_id
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
), first_days AS (
    SELECT reseller_id, min(transaction_on) AS transaction_on FROM live GROUP BY reseller_id
)
SELECT
    reseller_id AS partner_id,
    arg_min(transaction_id, (transaction_at, transaction_id)) AS transaction_id,
    transaction_on
FROM live JOIN first_days USING (reseller_id, transaction_on)
GROUP BY reseller_id, transaction_on
