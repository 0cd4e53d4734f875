SELECT transaction_id, seller_id, reseller_id, customer_id, product_id, subscription_id, transaction_at, invoice_at,
    charge_type, quantity, {{ amount('revenue_minor') }} AS revenue, {{ amount('tax_minor') }} AS tax, currency,
    association, reverses, delivery_id, file_name, line_number, known_from
FROM {{ ref('transactions') }} JOIN {{ source('meta', 'currencies') }} USING (currency) WHERE known_from = {{ day() }}
