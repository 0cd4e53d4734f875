SELECT reseller_id AS partner_id, arg_min(transaction_id, (transaction_at, transaction_id)) AS transaction_id,
    min(transaction_on) AS transaction_on
FROM {{ ref('transactions') }} WHERE reseller_id IS NOT NULL GROUP BY reseller_id
