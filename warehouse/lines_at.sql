-- Each worked line of a bucket in its program, with all that decides: one row a line and program.
-- Facts are those known now or those known before the run, by name: `reference` and `rates` are 'now' or 'before'.
-- A refund stands at the date of the line at the head of what it reverses, and is selected by what that line sold.
CREATE OR REPLACE TEMP MACRO lines_at(bucket, sold, reference, associations, rates, standing_table) AS TABLE
SELECT
    priced.transaction_id, priced.program, priced.partner_id, priced.claim_id, priced.reverses, priced.root_id, priced.own_at,
    priced.reference_at, priced.reference_on, priced.revenue_minor, priced.currency,
    CAST(CAST(priced.quantity AS DECIMAL(24,6)) * 1000000 AS BIGINT) AS quantity_micro,
    priced.program_currency, own.exponent, target.exponent AS program_exponent,
    CAST(date_trunc('month', priced.reference_on) AS DATE) AS fx_month,
    CASE WHEN priced.currency = priced.program_currency THEN 1::DECIMAL(28,18) ELSE fx.fx_rate END AS fx_rate,
    priced.product_id, priced.product_family, priced.product_segment, priced.term,
    priced.is_strategic, priced.is_trial, priced.is_add_on,
    priced.customer_id, customer.customer_segment, customer.country AS customer_country,
    customer.tenant_created_on, first.first_purchase_on, CAST(getvariable('history_from') AS DATE) AS history_from,
    priced.charge_type, priced.own_charge_type, priced.association, priced.is_partner_known, priced.is_own_customer, priced.is_original_known,
    standing.is_earning, standing.reason_codes, priced.cause, priced.is_posted
FROM program_lines(bucket, sold, reference, associations) AS priced
JOIN meta.currencies AS own ON own.currency = priced.currency
JOIN meta.currencies AS target ON target.currency = priced.program_currency
LEFT JOIN query_table(standing_table) AS standing
    ON standing.program = priced.program AND standing.partner_id = priced.partner_id
    AND standing.valid_from <= priced.reference_on
    AND coalesce(standing.valid_to, DATE '9999-12-31') > priced.reference_on -- an OR here would make it a nested loop
LEFT JOIN query_table('customers_' || reference) AS customer ON customer.customer_id = priced.customer_id
LEFT JOIN query_table('first_purchases_' || reference) AS first ON first.customer_id = priced.customer_id
LEFT JOIN query_table('fx_rates_' || rates) AS fx
    ON fx.from_currency = priced.currency AND fx.to_currency = priced.program_currency
    AND fx.fx_month = date_trunc('month', priced.reference_on)
