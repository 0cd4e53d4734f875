-- The release: the open month and aggregates in a database, the closed month as Parquet, views over both.
ATTACH '{out}/published.duckdb' AS published (STORAGE_VERSION 'v1.2.0');
CREATE SCHEMA published.parts;
CREATE MACRO amount(minor, exponent) AS (minor::DECIMAL(14,0)
    * (CASE exponent WHEN 2 THEN 0.010 WHEN 0 THEN 1.000 ELSE 0.001 END)::DECIMAL(4,3))::DECIMAL(18,3);
CREATE TEMP VIEW shown_transactions AS
SELECT transactions.* EXCLUDE (revenue_minor, tax_minor), amount(revenue_minor, exponent) AS revenue, amount(tax_minor, exponent) AS tax
FROM clean.transactions JOIN meta.currencies USING (currency);
CREATE TEMP VIEW shown_decisions AS
SELECT decisions.* EXCLUDE (revenue_minor), amount(revenue_minor, exponent) AS revenue
FROM derived.decisions JOIN meta.currencies USING (currency);
CREATE TEMP VIEW shown_earnings AS
SELECT * EXCLUDE (base_minor, earning_minor, rebate_minor, coop_minor, program_earning_minor, program_rebate_minor, program_coop_minor, exponent),
    amount(base_minor, exponent) AS base, amount(earning_minor, exponent) AS earning, amount(rebate_minor, exponent) AS rebate,
    amount(coop_minor, exponent) AS coop, amount(program_earning_minor, 2) AS program_earning,
    amount(program_rebate_minor, 2) AS program_rebate, amount(program_coop_minor, 2) AS program_coop
FROM derived.earnings JOIN meta.currencies USING (currency);
CREATE TEMP VIEW shown_earnings_ledger AS
SELECT earnings_ledger.* EXCLUDE (amount_minor, program_amount_minor, run_id), amount(amount_minor, exponent) AS amount,
    amount(program_amount_minor, 2) AS program_amount
FROM derived.earnings_ledger JOIN meta.currencies USING (currency);
COPY (FROM shown_transactions WHERE known_from < DATE '2021-04-01') TO '{out}/transactions.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (FROM shown_decisions WHERE known_from < DATE '2021-04-01') TO '{out}/decisions.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (FROM shown_earnings WHERE known_from < DATE '2021-04-01') TO '{out}/earnings.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (FROM shown_earnings_ledger WHERE posted_on < DATE '2021-04-01') TO '{out}/earnings_ledger.parquet' (FORMAT parquet, COMPRESSION zstd);
CREATE TABLE published.parts.transactions AS FROM shown_transactions WHERE known_from >= DATE '2021-04-01';
CREATE TABLE published.parts.decisions AS FROM shown_decisions WHERE known_from >= DATE '2021-04-01';
CREATE TABLE published.parts.earnings AS FROM shown_earnings WHERE known_from >= DATE '2021-04-01';
CREATE TABLE published.parts.earnings_ledger AS FROM shown_earnings_ledger WHERE posted_on >= DATE '2021-04-01';
CREATE TABLE published.earnings_monthly AS
SELECT earning_month, program, lever, partner_id, product_id, customer_id, ledger.currency, program_currency,
    count(DISTINCT transaction_id) AS line_count,
    amount(sum(amount_minor)::BIGINT, any_value(exponent)) AS earning,
    amount(coalesce(sum(amount_minor) FILTER (earning_type = 'rebate'), 0)::BIGINT, any_value(exponent)) AS rebate,
    amount(coalesce(sum(amount_minor) FILTER (earning_type = 'coop'), 0)::BIGINT, any_value(exponent)) AS coop,
    amount(sum(program_amount_minor)::BIGINT, 2) AS program_earning,
    amount(coalesce(sum(program_amount_minor) FILTER (earning_type = 'rebate'), 0)::BIGINT, 2) AS program_rebate,
    amount(coalesce(sum(program_amount_minor) FILTER (earning_type = 'coop'), 0)::BIGINT, 2) AS program_coop
FROM derived.earnings_ledger AS ledger
JOIN (SELECT transaction_id, product_id, customer_id FROM clean.transactions) USING (transaction_id)
JOIN meta.currencies AS own ON own.currency = ledger.currency
GROUP BY earning_month, program, lever, partner_id, product_id, customer_id, ledger.currency, program_currency;
CREATE TABLE published.ineligible_revenue AS
SELECT earning_month, program, partner_id, currency, decision, reason_codes, count(*) AS line_count,
    amount(sum(revenue_minor)::BIGINT, any_value(exponent)) AS revenue
FROM derived.decisions JOIN meta.currencies USING (currency) WHERE decision <> 'eligible'
GROUP BY earning_month, program, partner_id, currency, decision, reason_codes;
CREATE TABLE published.eligibility_criteria AS FROM criteria;
CREATE TABLE published.eligibility_status AS FROM standing;
CREATE TABLE published.liability AS
SELECT period, program, earning_type, currency, amount(earned, exponent) AS earned,
    amount(sum(earned) OVER (PARTITION BY program, earning_type, currency ORDER BY period)::BIGINT, exponent) AS closing
FROM (SELECT period, program, earning_type, currency, sum(amount_minor)::BIGINT AS earned FROM derived.earnings_ledger GROUP BY ALL)
JOIN meta.currencies USING (currency);
CREATE TABLE published.invitations AS SELECT program, partner_id, transaction_id, invited_on FROM derived.invitations;
CREATE TABLE published.partners AS
SELECT partner_id, global_partner_id, partner_name, country, tenant_country, partner_type, reseller_status FROM clean.partners;
USE published;
CREATE VIEW transactions AS FROM parts.transactions UNION ALL BY NAME FROM read_parquet('{out}/transactions.parquet');
CREATE VIEW decisions AS FROM parts.decisions UNION ALL BY NAME FROM read_parquet('{out}/decisions.parquet');
CREATE VIEW earnings AS FROM parts.earnings UNION ALL BY NAME FROM read_parquet('{out}/earnings.parquet');
CREATE VIEW earnings_ledger AS FROM parts.earnings_ledger UNION ALL BY NAME FROM read_parquet('{out}/earnings_ledger.parquet');
USE warehouse;
CHECKPOINT published;
