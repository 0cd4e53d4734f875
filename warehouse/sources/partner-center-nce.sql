-- needs partner, customer, currency
-- Partner Center's new-commerce reconciliation file. What it needs are settings, as is reseller if there is one.
-- A change of seats is a refund and a charge that share every id, so a line's key is its content and its occurrence.
-- Lines are not in order of time; a refund reverses the subscription's latest positive line before its own change.
WITH lines AS (
    SELECT *,
        md5(concat_ws('|', orderdate, productname, chargetype, billablequantity, subtotal, subscriptionid, chargestartdate,
            chargeenddate, referenceid)) AS content
    FROM delivered
), keyed AS (
    SELECT *, content || '-' || row_number() OVER (PARTITION BY content ORDER BY file_name, line_number) AS transaction_id,
        TRY_CAST(subtotal AS DECIMAL(18,6)) AS amount
    FROM lines
), charges AS (
    SELECT transaction_id AS charge_id, subscriptionid, TRY_CAST(orderdate AS DATE) AS charged_on, referenceid AS change
    FROM keyed WHERE amount > 0
    UNION ALL
    SELECT transaction_id, subscription_id, transaction_on, '~' FROM history -- the last change of its day
)
SELECT
    any_value(keyed.file_name) AS file_name, any_value(keyed.line_number) AS line_number, keyed.transaction_id,
    setting('partner') AS seller_id, setting('reseller') AS reseller_id,
    setting('customer') AS customer_id, any_value(productname) AS product_id, any_value(keyed.subscriptionid) AS subscription_id,
    any_value(nullif(keyed.orderdate, '0001-01-01T00:00:00')) AS transaction_at, NULL AS invoice_at,
    any_value(chargetype) AS charge_type,
    any_value(CASE WHEN amount < 0 AND billablequantity NOT LIKE '-%' THEN '-' || billablequantity ELSE billablequantity END) AS quantity,
    any_value(subtotal) AS revenue, NULL AS tax, setting('currency') AS currency, 'reseller' AS association,
    CASE WHEN any_value(amount) < 0 THEN arg_max(charge_id, (charged_on, change)) END AS reverses
FROM keyed
LEFT JOIN charges
    ON keyed.amount < 0 AND charges.subscriptionid = keyed.subscriptionid
    AND (charges.charged_on, charges.change) < (TRY_CAST(keyed.orderdate AS DATE), keyed.referenceid)
    AND charges.charge_id <> keyed.transaction_id
GROUP BY keyed.transaction_id
