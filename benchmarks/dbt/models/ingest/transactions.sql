{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, schema='clean') }}
-- Each line that can be used, once.
SELECT DISTINCT ON (transaction_id) transaction_id, seller_id, reseller_id, customer_id, product_id, subscription_id,
    transaction_at, transaction_at::DATE AS transaction_on, invoice_at, charge_type, quantity,
    (revenue * 1000)::BIGINT // (10 ** (3 - exponent))::BIGINT AS revenue_minor,
    (tax * 1000)::BIGINT // (10 ** (3 - exponent))::BIGINT AS tax_minor,
    currency, association, reverses, {{ day() }} AS business_date, '{{ var("day") }}-transactions' AS delivery_id,
    'transactions.csv' AS file_name, 0 AS line_number, {{ day() }} AS known_from, NULL::DATE AS known_to,
    NULL::DATE AS confirmed_on, false AS is_withdrawn
FROM {{ ref('typed') }} WHERE is_usable
