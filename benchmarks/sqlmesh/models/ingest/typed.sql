MODEL (
  name working.typed,
  kind INCREMENTAL_BY_TIME_RANGE (time_column known_from),
  description 'The measured day''s lines, typed; a value that cannot be read is missing.'
);

WITH typed AS (
    SELECT transaction_id, seller_id, reseller_id, customer_id, product_id, subscription_id,
        TRY_CAST(transaction_at AS TIMESTAMPTZ)::TIMESTAMP AS transaction_at,
        TRY_CAST(invoice_at AS TIMESTAMPTZ)::TIMESTAMP AS invoice_at,
        CASE WHEN charge_type IN ('new', 'renew', 'addQuantity', 'removeQuantity', 'cancelImmediate') THEN charge_type END AS charge_type,
        TRY_CAST(quantity AS DECIMAL(18,6)) AS quantity,
        TRY_CAST(revenue AS DECIMAL(18,3)) AS revenue, TRY_CAST(tax AS DECIMAL(18,3)) AS tax,
        length(rtrim(split_part(revenue, '.', 2), '0')) > exponent AS is_too_precise, revenue AS revenue_text,
        currency, exponent, association, reverses
    FROM read_csv(@deliveries || '/*-transactions/*.csv', all_varchar = true, header = true, filename = true)
    LEFT JOIN meta.currencies USING (currency)
    WHERE filename LIKE '%/' || @end_ds || '-transactions/%'
)
SELECT *, @end_date AS known_from, transaction_at IS NOT NULL AND charge_type IS NOT NULL AND quantity IS NOT NULL
    AND revenue IS NOT NULL AND exponent IS NOT NULL AND NOT is_too_precise AS is_usable
FROM typed
