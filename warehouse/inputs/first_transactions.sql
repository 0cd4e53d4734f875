-- The first accepted transaction of each indirect reseller.
SELECT
    reseller_id AS partner_id,
    arg_min(transaction_id, (transaction_at, transaction_id)) AS transaction_id,
    min(transaction_on) AS transaction_on
FROM clean.transactions SEMI JOIN touched_partners ON touched_partners.partner_id = reseller_id
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
GROUP BY reseller_id
