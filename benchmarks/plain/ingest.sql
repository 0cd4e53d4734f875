-- The measured day's deliveries: rows that cannot be used apart, the others typed, with where they stand.
CREATE TEMP TABLE landed AS
SELECT * FROM read_csv('{deliveries}/2021-04-02-transactions/*.csv', all_varchar = true, header = true);
CREATE TEMP TABLE typed AS
SELECT transaction_id, seller_id, reseller_id, customer_id, product_id, subscription_id,
    TRY_CAST(transaction_at AS TIMESTAMPTZ)::TIMESTAMP AS transaction_at,
    TRY_CAST(invoice_at AS TIMESTAMPTZ)::TIMESTAMP AS invoice_at,
    CASE WHEN charge_type IN ('new', 'renew', 'addQuantity', 'removeQuantity', 'cancelImmediate') THEN charge_type END AS charge_type,
    TRY_CAST(quantity AS DECIMAL(18,6)) AS quantity,
    TRY_CAST(revenue AS DECIMAL(18,3)) AS revenue, TRY_CAST(tax AS DECIMAL(18,3)) AS tax,
    length(rtrim(split_part(revenue, '.', 2), '0')) > exponent AS is_too_precise, revenue AS revenue_text,
    landed.currency, exponent, association, reverses
FROM landed LEFT JOIN meta.currencies USING (currency);
CREATE TABLE rejects AS SELECT * FROM typed
WHERE transaction_at IS NULL OR charge_type IS NULL OR quantity IS NULL OR revenue IS NULL OR is_too_precise OR exponent IS NULL;
INSERT INTO clean.transactions BY NAME
SELECT DISTINCT ON (transaction_id) transaction_id, seller_id, reseller_id, customer_id, product_id, subscription_id,
    transaction_at, transaction_at::DATE AS transaction_on, invoice_at, charge_type, quantity,
    (revenue * 1000)::BIGINT // (10 ** (3 - exponent))::BIGINT AS revenue_minor,
    (tax * 1000)::BIGINT // (10 ** (3 - exponent))::BIGINT AS tax_minor,
    currency, association, reverses, DATE '2021-04-02' AS business_date, '2021-04-02-transactions' AS delivery_id,
    'transactions.csv' AS file_name, 0 AS line_number, DATE '2021-04-02' AS known_from, false AS is_withdrawn
FROM typed
WHERE transaction_at IS NOT NULL AND charge_type IS NOT NULL AND quantity IS NOT NULL AND revenue IS NOT NULL
    AND NOT is_too_precise AND exponent IS NOT NULL;
-- every agreement as delivered that day; those that are stored already stay as they are
CREATE TEMP TABLE other_agreements AS
SELECT agreement_id, partner_id, agreement_type, agreement_status, signed_on::DATE, valid_from::DATE, valid_to::DATE
FROM read_csv('{deliveries}/2021-04-02-agreements/*.csv', all_varchar = true, header = true)
EXCEPT SELECT agreement_id, partner_id, agreement_type, agreement_status, signed_on, valid_from, valid_to FROM clean.agreements;
SELECT CASE WHEN count(*) > 0 THEN error('agreements changed') END FROM other_agreements;
