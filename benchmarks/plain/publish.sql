-- The release: what the day adds to each large table as one Parquet file beside those of the release before, the small
-- tables in a database, views over both. Nothing that was known before changed that day, so no version is taken away.
ATTACH '{out}/published.duckdb' AS published (STORAGE_VERSION 'v1.2.0');
CREATE MACRO amount(minor, exponent) AS (minor::DECIMAL(14,0)
    * (CASE exponent WHEN 2 THEN 0.010 WHEN 0 THEN 1.000 ELSE 0.001 END)::DECIMAL(4,3))::DECIMAL(18,3);
COPY (
    SELECT transaction_id, seller_id, reseller_id, customer_id, product_id, subscription_id, transaction_at, invoice_at,
        charge_type, quantity, amount(revenue_minor, exponent) AS revenue, amount(tax_minor, exponent) AS tax, currency,
        association, reverses, delivery_id, file_name, line_number, known_from
    FROM clean.transactions JOIN meta.currencies USING (currency) WHERE known_from = DATE '2021-04-02'
) TO '{out}/transactions.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (
    SELECT transaction_id, program, partner_id, decision, levers, reason_codes, reference_on, earning_month,
        amount(revenue_minor, exponent) AS revenue, currency, rule_version, known_from
    FROM derived.decisions JOIN meta.currencies USING (currency) WHERE known_from = DATE '2021-04-02'
) TO '{out}/decisions.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (
    SELECT transaction_id, program, lever, bracket, partner_id, earning_month, rate, unit_amount, position, held_by,
        is_illustrative, amount(base_minor, exponent) AS base, currency, amount(earning_minor, exponent) AS earning,
        amount(rebate_minor, exponent) AS rebate, amount(coop_minor, exponent) AS coop, fx_month, fx_rate, program_currency,
        amount(program_earning_minor, 2) AS program_earning, amount(program_rebate_minor, 2) AS program_rebate,
        amount(program_coop_minor, 2) AS program_coop, rule_version, known_from
    FROM derived.earnings JOIN meta.currencies USING (currency) WHERE known_from = DATE '2021-04-02'
) TO '{out}/earnings.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (
    SELECT entry_id, posted_on, period, transaction_id, adjustment_id, program, lever, bracket, partner_id, earning_type,
        earning_month, currency, amount(amount_minor, exponent) AS amount, program_currency,
        amount(program_amount_minor, 2) AS program_amount, rate, fx_month, fx_rate, rule_version, cause, cause_detail
    FROM derived.earnings_ledger JOIN meta.currencies USING (currency) WHERE posted_on = DATE '2021-04-02'
) TO '{out}/earnings_ledger.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (
    SELECT earning_month, program, lever, partner_id, product_id, customer_id, ledger.currency, program_currency,
        count(DISTINCT transaction_id) AS line_count, amount(sum(amount_minor)::BIGINT, any_value(exponent)) AS earning,
        amount(coalesce(sum(amount_minor) FILTER (earning_type = 'rebate'), 0)::BIGINT, any_value(exponent)) AS rebate,
        amount(sum(program_amount_minor)::BIGINT, 2) AS program_earning,
        amount(coalesce(sum(program_amount_minor) FILTER (earning_type = 'rebate'), 0)::BIGINT, 2) AS program_rebate
    FROM derived.earnings_ledger AS ledger
    JOIN (SELECT transaction_id, product_id, customer_id FROM clean.transactions WHERE known_from = DATE '2021-04-02') USING (transaction_id)
    JOIN meta.currencies AS own ON own.currency = ledger.currency
    WHERE posted_on = DATE '2021-04-02'
    GROUP BY earning_month, program, lever, partner_id, product_id, customer_id, ledger.currency, program_currency
) TO '{out}/earnings_monthly.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (
    SELECT earning_month, program, partner_id, currency, decision, reason_codes, count(*) AS line_count,
        amount(sum(revenue_minor)::BIGINT, any_value(exponent)) AS revenue
    FROM derived.decisions JOIN meta.currencies USING (currency)
    WHERE decision <> 'eligible' AND known_from = DATE '2021-04-02'
    GROUP BY earning_month, program, partner_id, currency, decision, reason_codes
) TO '{out}/ineligible_revenue.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (
    SELECT period, program, earning_type, currency, amount(sum(amount_minor)::BIGINT, any_value(exponent)) AS earned
    FROM derived.earnings_ledger JOIN meta.currencies USING (currency) WHERE posted_on = DATE '2021-04-02'
    GROUP BY period, program, earning_type, currency
) TO '{out}/liability.parquet' (FORMAT parquet, COMPRESSION zstd);
CREATE TABLE published.eligibility_criteria AS FROM criteria;
CREATE TABLE published.eligibility_status AS FROM standing;
CREATE TABLE published.invitations AS SELECT program, partner_id, transaction_id, invited_on FROM derived.invitations;
CREATE TABLE published.partners AS
SELECT partner_id, global_partner_id, partner_name, country, tenant_country, partner_type, reseller_status FROM clean.partners;
USE published;
CREATE VIEW transactions AS FROM read_parquet(['{before}/transactions/*.parquet', '{out}/transactions.parquet'], union_by_name = true);
CREATE VIEW decisions AS FROM read_parquet(['{before}/decisions/*.parquet', '{out}/decisions.parquet'], union_by_name = true);
CREATE VIEW earnings AS FROM read_parquet(['{before}/earnings/*.parquet', '{out}/earnings.parquet'], union_by_name = true);
CREATE VIEW earnings_ledger AS FROM read_parquet(['{before}/earnings_ledger/*.parquet', '{out}/earnings_ledger.parquet'], union_by_name = true);
CREATE VIEW earnings_monthly AS
SELECT earning_month, program, lever, partner_id, product_id, customer_id, currency, program_currency,
    sum(line_count)::BIGINT AS line_count, sum(earning) AS earning, sum(rebate) AS rebate, sum(earning) - sum(rebate) AS coop,
    sum(program_earning) AS program_earning, sum(program_rebate) AS program_rebate, sum(program_earning) - sum(program_rebate) AS program_coop
FROM read_parquet(['{before}/earnings_monthly/*.parquet', '{out}/earnings_monthly.parquet'], union_by_name = true) GROUP BY ALL;
CREATE VIEW ineligible_revenue AS
SELECT earning_month, program, partner_id, currency, decision, reason_codes, sum(line_count)::BIGINT AS line_count, sum(revenue) AS revenue
FROM read_parquet(['{before}/ineligible_revenue/*.parquet', '{out}/ineligible_revenue.parquet'], union_by_name = true) GROUP BY ALL;
CREATE VIEW liability AS
SELECT *, sum(earned + moved) OVER (PARTITION BY program, earning_type, currency ORDER BY period) AS closing
FROM (
    SELECT period, program, earning_type, currency, sum(earned) AS earned,
        sum(coalesce(adjusted - paid - forfeited - escheated, 0)) AS moved
    FROM read_parquet(['{before}/liability/*.parquet', '{out}/liability.parquet'], union_by_name = true) GROUP BY ALL
);
USE warehouse;
CHECKPOINT published;
