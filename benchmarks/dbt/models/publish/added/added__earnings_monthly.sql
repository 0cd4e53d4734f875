SELECT earning_month, program, lever, partner_id, product_id, customer_id, ledger.currency, program_currency,
    count(DISTINCT transaction_id) AS line_count, {{ amount('sum(amount_minor)::BIGINT', 'any_value(exponent)') }} AS earning,
    {{ amount("coalesce(sum(amount_minor) FILTER (earning_type = 'rebate'), 0)::BIGINT", 'any_value(exponent)') }} AS rebate,
    {{ amount('sum(program_amount_minor)::BIGINT', 2) }} AS program_earning,
    {{ amount("coalesce(sum(program_amount_minor) FILTER (earning_type = 'rebate'), 0)::BIGINT", 2) }} AS program_rebate
FROM {{ ref('earnings_ledger') }} AS ledger
JOIN (SELECT transaction_id, product_id, customer_id FROM {{ ref('transactions') }} WHERE known_from = {{ day() }}) USING (transaction_id)
JOIN {{ source('meta', 'currencies') }} AS own ON own.currency = ledger.currency
WHERE posted_on = {{ day() }}
GROUP BY earning_month, program, lever, partner_id, product_id, customer_id, ledger.currency, program_currency
