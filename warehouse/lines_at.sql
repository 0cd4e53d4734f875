-- Each worked line of a bucket in its program, with all that decides: one row a line and program.
-- Facts are those known now or those known before the run, by name: `reference` and `rates` are 'now' or 'before'.
-- A refund stands at the date of the line at the head of what it reverses, and is selected by what that line sold.
-- A line names its product by id or, where that is unique, by name, as some reconciliation files do.
CREATE OR REPLACE TEMP MACRO lines_at(bucket, reference, rates, standing_table) AS TABLE
WITH sold AS (
    SELECT
        line.transaction_id, line.reverses, rule.program, rule.program_currency, rule.partner_types,
        CASE rule.earner WHEN 'seller' THEN line.seller_id ELSE line.reseller_id END AS partner_id,
        touched.arrival AS cause, touched.is_known AS is_posted, line.revenue_minor, line.quantity, line.currency,
        line.charge_type, line.transaction_at AS own_at, head.transaction_id AS root_id,
        coalesce(head.customer_id, line.customer_id) AS customer_id, coalesce(head.product_id, line.product_id) AS product_id,
        coalesce(head.association, line.association) AS association,
        CASE WHEN rule.reference_date = 'invoice_date' AND head.transaction_id IS NULL THEN coalesce(line.invoice_at, line.transaction_at)
            WHEN rule.reference_date = 'invoice_date' THEN coalesce(head.invoice_at, head.transaction_at)
            ELSE coalesce(head.transaction_at, line.transaction_at) END AS reference_at,
        line.reverses IS NULL OR (
            head.transaction_id IS NOT NULL AND head.reverses IS NULL AND head.currency = line.currency
            AND sign(head.revenue_minor) * sign(line.revenue_minor) * CASE line.reverses WHEN head.transaction_id THEN 1 ELSE -1 END <= 0
            AND CASE rule.earner WHEN 'seller' THEN head.seller_id = line.seller_id ELSE head.reseller_id = line.reseller_id END
        ) IS TRUE AS is_original_known
    FROM query_table(bucket) AS touched
    JOIN program_earners AS rule USING (program)
    JOIN sold_lines AS line USING (transaction_id)
    LEFT JOIN sold_lines AS head -- a second condition would make it a nested loop
        ON head.transaction_id = CASE WHEN touched.root <> line.transaction_id THEN touched.root END
), priced AS (
    SELECT sold.*, CAST(reference_at AS DATE) AS reference_on, partner.partner_id IS NOT NULL AS is_partner_known,
        sold.customer_id = partner.tenant_id AS is_own_customer
    FROM sold LEFT JOIN query_table('partners_' || reference) AS partner USING (partner_id)
    WHERE sold.partner_id IS NOT NULL AND (partner.partner_id IS NULL OR list_contains(partner_types, partner.partner_type))
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
    priced.transaction_id, priced.program, priced.partner_id, priced.reverses, priced.root_id, priced.own_at,
    priced.reference_at, priced.reference_on, priced.revenue_minor, priced.currency,
    CAST(priced.quantity * 1000000 AS BIGINT) AS quantity_micro,
    priced.program_currency, own.exponent, target.exponent AS program_exponent,
    CAST(date_trunc('month', priced.reference_on) AS DATE) AS fx_month,
    CASE WHEN priced.currency = priced.program_currency THEN 1::DECIMAL(28,18) ELSE fx.fx_rate END AS fx_rate,
    priced.product_id, product.product_family, product.product_segment, product.term,
    product.is_strategic, product.is_trial, product.is_add_on,
    priced.customer_id, customer.customer_segment, customer.country AS customer_country,
    customer.tenant_created_on, first.first_purchase_on, CAST(getvariable('history_from') AS DATE) AS history_from,
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
LEFT JOIN query_table('first_purchases_' || reference) AS first ON first.customer_id = priced.customer_id
LEFT JOIN query_table('fx_rates_' || rates) AS fx
    ON fx.from_currency = priced.currency AND fx.to_currency = priced.program_currency
    AND fx.fx_month = date_trunc('month', priced.reference_on)
