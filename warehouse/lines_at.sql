-- Each line of a bucket × each program that may pay for it, with all that decides: one row a line and program.
-- Facts are those known now or those known before the run, by name: `reference` and `rates` are 'now' or 'before'.
-- A line names its product by id or, where that is unique, by name, as some reconciliation files do.
CREATE OR REPLACE TEMP MACRO lines_at(bucket, as_of, reference, rates, standing_table) AS TABLE
WITH sold AS (
    SELECT line.*, touched.arrival AS cause, touched.is_known AS is_posted,
        line.reverses IS NULL OR original.transaction_id IS NOT NULL AS is_original_known,
        coalesce(original.transaction_on, line.transaction_on) AS transacted_on,
        coalesce(CAST(original.invoice_at AS DATE), CAST(line.invoice_at AS DATE)) AS invoiced_on
    FROM clean.transactions AS line
    JOIN query_table(bucket) AS touched USING (transaction_id)
    LEFT JOIN originals AS original ON original.transaction_id = line.reverses
    WHERE line.known_from >= getvariable('touched_since')
        AND line.known_from <= as_of AND (line.known_to IS NULL OR line.known_to > as_of) AND NOT line.is_withdrawn
), earners AS (
    SELECT sold.*, 'seller' AS earner, seller_id AS partner_id FROM sold
    UNION ALL
    SELECT sold.*, 'reseller', reseller_id FROM sold WHERE reseller_id IS NOT NULL
), priced AS (
    SELECT earners.*, rule.program, rule.program_currency, partner.partner_id IS NOT NULL AS is_partner_known,
        earners.customer_id = partner.tenant_id AS is_own_customer,
        CASE rule.reference_date WHEN 'invoice_date' THEN coalesce(invoiced_on, transacted_on) ELSE transacted_on END
            AS reference_on
    FROM earners
    LEFT JOIN query_table('partners_' || reference) AS partner ON partner.partner_id = earners.partner_id
    JOIN program_earners AS rule
        ON rule.earner = earners.earner
        AND (partner.partner_id IS NULL OR list_contains(rule.partner_types, partner.partner_type))
), products AS (
    FROM query_table('products_' || reference)
), catalogue AS (
    SELECT product_id AS named, product_family, product_segment, term, is_strategic, is_trial, is_add_on FROM products
    UNION ALL
    SELECT product_name, any_value(product_family), any_value(product_segment), any_value(term), any_value(is_strategic),
        any_value(is_trial), any_value(is_add_on)
    FROM products WHERE product_name NOT IN (SELECT product_id FROM products)
    GROUP BY product_name HAVING count(*) = 1
)
SELECT
    priced.transaction_id, priced.program, priced.partner_id, priced.reference_on, priced.revenue_minor, priced.currency,
    priced.program_currency, own.exponent, target.exponent AS program_exponent,
    CAST(date_trunc('month', priced.reference_on) AS DATE) AS fx_month,
    CASE WHEN priced.currency = priced.program_currency THEN 1::DECIMAL(28,18) ELSE fx.fx_rate END AS fx_rate,
    priced.product_id, product.product_family, product.product_segment, product.term,
    product.is_strategic, product.is_trial, product.is_add_on,
    priced.customer_id, customer.customer_segment, customer.country AS customer_country,
    priced.charge_type, priced.association, priced.is_partner_known, priced.is_own_customer, priced.is_original_known,
    standing.is_earning, standing.reason_codes, priced.cause, priced.is_posted
FROM priced
JOIN meta.currencies AS own ON own.currency = priced.currency
JOIN meta.currencies AS target ON target.currency = priced.program_currency
LEFT JOIN query_table(standing_table) AS standing
    ON standing.program = priced.program AND standing.partner_id = priced.partner_id
    AND standing.valid_from <= priced.reference_on
    AND coalesce(standing.valid_to, DATE '9999-12-31') > priced.reference_on -- an OR here would make it a nested loop
LEFT JOIN catalogue AS product ON product.named = priced.product_id
LEFT JOIN query_table('customers_' || reference) AS customer ON customer.customer_id = priced.customer_id
LEFT JOIN query_table('fx_rates_' || rates) AS fx
    ON fx.from_currency = priced.currency AND fx.to_currency = priced.program_currency
    AND fx.fx_month = date_trunc('month', priced.reference_on)
