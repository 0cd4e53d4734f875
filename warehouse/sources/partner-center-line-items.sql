-- Invoice line items as Partner Center's API answers them, licence-based, usage-based and one-time. Settings fill what
-- is empty: partner, customer, product. "No reseller" is 0, -1 or empty; year 1 is no date.
SELECT
    file_name, line_number,
    md5(CAST(to_json(columns) AS VARCHAR)) || '-' || row_number() OVER (
        PARTITION BY CAST(to_json(columns) AS VARCHAR) ORDER BY file_name, line_number
    ) AS transaction_id,
    coalesce(nullif(columns ->> 'mpnid', ''), setting('partner')) AS seller_id,
    CASE WHEN coalesce(columns ->> 'resellermpnid', columns ->> 'tier2mpnid', '') NOT IN ('', '0', '-1')
        THEN coalesce(columns ->> 'resellermpnid', columns ->> 'tier2mpnid') END AS reseller_id,
    coalesce(nullif(columns ->> 'customerid', ''), setting('customer')) AS customer_id,
    coalesce(nullif(columns ->> 'offerid', ''), nullif(columns ->> 'productid', ''), nullif(columns ->> 'sku', ''),
        setting('product'), columns ->> 'productname') AS product_id,
    columns ->> 'subscriptionid' AS subscription_id,
    CASE WHEN moment NOT LIKE '0001-01-01%' THEN moment END AS transaction_at, NULL AS invoice_at,
    CASE WHEN columns ->> 'chargetype' ILIKE 'assess usage fee%' THEN 'usage' ELSE columns ->> 'chargetype' END AS charge_type,
    coalesce(columns ->> 'quantity', columns ->> 'billablequantity', columns ->> 'consumedquantity', '1') AS quantity,
    coalesce(columns ->> 'subtotal', columns ->> 'pretaxcharges', columns ->> 'billingpretaxtotal') AS revenue,
    coalesce(columns ->> 'tax', columns ->> 'taxtotal', columns ->> 'taxamount') AS tax,
    coalesce(columns ->> 'currency', columns ->> 'billingcurrency') AS currency, 'reseller' AS association, NULL AS reverses
FROM (
    SELECT file_name, line_number, columns,
        coalesce(columns ->> 'orderdate', columns ->> 'usagedate', columns ->> 'chargestartdate', columns ->> 'usagestartdate')
            AS moment
    FROM (SELECT file_name, line_number, to_json(delivered) AS columns FROM delivered)
)
