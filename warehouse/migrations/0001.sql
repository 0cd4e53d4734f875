-- The first warehouse.
CREATE SCHEMA clean;
CREATE SCHEMA derived;
CREATE TABLE clean.partners (
    partner_id VARCHAR NOT NULL, global_partner_id VARCHAR NOT NULL, partner_name VARCHAR NOT NULL, country VARCHAR
    NOT NULL, tenant_id VARCHAR NOT NULL, tenant_country VARCHAR NOT NULL, partner_type VARCHAR NOT NULL,
    reseller_status VARCHAR NOT NULL, business_date DATE NOT NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR
    NOT NULL, line_number BIGINT NOT NULL, known_from DATE NOT NULL, known_to DATE, confirmed_on DATE, is_withdrawn
    BOOLEAN NOT NULL
);
CREATE TABLE clean.agreements (
    agreement_id VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, agreement_type VARCHAR NOT NULL, agreement_status
    VARCHAR NOT NULL, signed_on DATE NOT NULL, valid_from DATE NOT NULL, valid_to DATE, business_date DATE NOT NULL,
    delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, line_number BIGINT NOT NULL, known_from DATE NOT NULL,
    known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN NOT NULL
);
CREATE TABLE clean.competencies (
    partner_id VARCHAR NOT NULL, competency VARCHAR NOT NULL, competency_level VARCHAR NOT NULL, valid_from DATE NOT
    NULL, valid_to DATE, business_date DATE NOT NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL,
    line_number BIGINT NOT NULL, known_from DATE NOT NULL, known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN
    NOT NULL
);
CREATE TABLE clean.enrolments (
    partner_id VARCHAR NOT NULL, program VARCHAR NOT NULL, enrolment_status VARCHAR NOT NULL, valid_from DATE NOT
    NULL, valid_to DATE, business_date DATE NOT NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL,
    line_number BIGINT NOT NULL, known_from DATE NOT NULL, known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN
    NOT NULL
);
CREATE TABLE clean.payee_profiles (
    partner_id VARCHAR NOT NULL, bank_status VARCHAR NOT NULL, tax_status VARCHAR NOT NULL, payout_currency VARCHAR
    NOT NULL, validated_on DATE, business_date DATE NOT NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT
    NULL, line_number BIGINT NOT NULL, known_from DATE NOT NULL, known_to DATE, confirmed_on DATE, is_withdrawn
    BOOLEAN NOT NULL
);
CREATE TABLE clean.products (
    product_id VARCHAR NOT NULL, product_name VARCHAR NOT NULL, product_family VARCHAR, product_segment VARCHAR,
    is_strategic BOOLEAN, term VARCHAR, is_trial BOOLEAN NOT NULL, is_add_on BOOLEAN NOT NULL, business_date DATE
    NOT NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, line_number BIGINT NOT NULL, known_from DATE
    NOT NULL, known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN NOT NULL
);
CREATE TABLE clean.customers (
    customer_id VARCHAR NOT NULL, customer_name VARCHAR NOT NULL, country VARCHAR NOT NULL, customer_segment
    VARCHAR, tenant_created_on DATE, business_date DATE NOT NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR
    NOT NULL, line_number BIGINT NOT NULL, known_from DATE NOT NULL, known_to DATE, confirmed_on DATE, is_withdrawn
    BOOLEAN NOT NULL
);
CREATE TABLE clean.fx_rates (
    fx_month DATE NOT NULL, from_currency VARCHAR NOT NULL, to_currency VARCHAR NOT NULL, fx_rate DECIMAL(28,18) NOT
    NULL, business_date DATE NOT NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, line_number BIGINT
    NOT NULL, known_from DATE NOT NULL, known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN NOT NULL
);
CREATE TABLE clean.users (
    user_email VARCHAR NOT NULL, user_name VARCHAR NOT NULL, role VARCHAR NOT NULL, partner_id VARCHAR NOT NULL,
    program VARCHAR NOT NULL, business_date DATE NOT NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL,
    line_number BIGINT NOT NULL, known_from DATE NOT NULL, known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN
    NOT NULL
);
CREATE TABLE clean.transactions (
    transaction_id VARCHAR NOT NULL, seller_id VARCHAR NOT NULL, reseller_id VARCHAR, customer_id VARCHAR NOT NULL,
    product_id VARCHAR NOT NULL, subscription_id VARCHAR, transaction_at TIMESTAMP NOT NULL, transaction_on DATE NOT
    NULL, invoice_at TIMESTAMP, charge_type VARCHAR NOT NULL, quantity DECIMAL(18,6) NOT NULL, revenue_minor BIGINT
    NOT NULL, tax_minor BIGINT, currency VARCHAR NOT NULL, association VARCHAR, reverses VARCHAR, business_date DATE
    NOT NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, line_number BIGINT NOT NULL, known_from DATE
    NOT NULL, known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN NOT NULL
);
CREATE TABLE clean.deliveries (
    delivery_id VARCHAR NOT NULL, feed VARCHAR NOT NULL, business_date DATE NOT NULL, created_at TIMESTAMP, mode
    VARCHAR, part BIGINT, parts BIGINT, supersedes VARCHAR, manifest_hash VARCHAR, delivery_status VARCHAR NOT NULL,
    rows_read BIGINT NOT NULL, rows_accepted BIGINT NOT NULL, rows_duplicate BIGINT NOT NULL, rows_quarantined
    BIGINT NOT NULL, rows_corrected BIGINT NOT NULL, rows_withdrawn BIGINT NOT NULL, message VARCHAR, run_id VARCHAR
);
CREATE TABLE clean.delivery_amounts (
    delivery_id VARCHAR NOT NULL, currency VARCHAR NOT NULL, read_amount DECIMAL(38,4) NOT NULL, accepted_amount
    DECIMAL(38,4) NOT NULL, duplicate_amount DECIMAL(38,4) NOT NULL, quarantined_amount DECIMAL(38,4) NOT NULL
);
CREATE TABLE clean.quarantine (
    quarantine_id VARCHAR NOT NULL, feed VARCHAR NOT NULL, business_date DATE NOT NULL, delivery_id VARCHAR NOT
    NULL, file_name VARCHAR NOT NULL, line_number BIGINT NOT NULL, row_key VARCHAR, rules_broken VARCHAR NOT NULL,
    original VARCHAR, delivered VARCHAR, released_by VARCHAR
);
CREATE TABLE derived.runs (
    run_id VARCHAR NOT NULL, business_date DATE NOT NULL, rules_hash VARCHAR NOT NULL, engine_version VARCHAR NOT
    NULL, deliveries VARCHAR NOT NULL, rows_read BIGINT NOT NULL, message VARCHAR
);
CREATE TABLE derived.eligibility_criteria (
    program VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, criterion_number BIGINT NOT NULL, criterion VARCHAR NOT
    NULL, valid_from DATE NOT NULL, valid_to DATE, status VARCHAR NOT NULL, reason_code VARCHAR, evidence VARCHAR,
    known_from DATE NOT NULL, known_to DATE
);
CREATE TABLE derived.eligibility (
    program VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, valid_from DATE NOT NULL, valid_to DATE, eligibility
    VARCHAR NOT NULL, is_earning BOOLEAN NOT NULL, reason_codes VARCHAR, known_from DATE NOT NULL, known_to DATE
);
CREATE TABLE derived.decisions (
    transaction_id VARCHAR NOT NULL, program VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, decision VARCHAR NOT
    NULL, levers VARCHAR, reason_codes VARCHAR, reference_on DATE NOT NULL, earning_month DATE NOT NULL,
    revenue_minor BIGINT NOT NULL, currency VARCHAR NOT NULL, rule_version VARCHAR NOT NULL, known_from DATE NOT
    NULL, known_to DATE
);
CREATE TABLE derived.earnings (
    transaction_id VARCHAR NOT NULL, program VARCHAR NOT NULL, lever VARCHAR NOT NULL, bracket BIGINT NOT NULL,
    partner_id VARCHAR NOT NULL, earning_month DATE NOT NULL, rate DECIMAL(18,9) NOT NULL, is_illustrative BOOLEAN
    NOT NULL, base_minor BIGINT NOT NULL, currency VARCHAR NOT NULL, earning_minor BIGINT NOT NULL, rebate_minor
    BIGINT NOT NULL, coop_minor BIGINT NOT NULL, fx_month DATE NOT NULL, fx_rate DECIMAL(28,18) NOT NULL,
    program_currency VARCHAR NOT NULL, program_earning_minor BIGINT NOT NULL, program_rebate_minor BIGINT NOT NULL,
    program_coop_minor BIGINT NOT NULL, rule_version VARCHAR NOT NULL, known_from DATE NOT NULL, known_to DATE
);
CREATE TABLE derived.earnings_ledger (
    entry_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, posted_on DATE NOT NULL, transaction_id VARCHAR NOT NULL,
    program VARCHAR NOT NULL, lever VARCHAR NOT NULL, bracket BIGINT NOT NULL, partner_id VARCHAR NOT NULL,
    earning_type VARCHAR NOT NULL, earning_month DATE NOT NULL, currency VARCHAR NOT NULL, amount_minor BIGINT NOT
    NULL, program_currency VARCHAR NOT NULL, program_amount_minor BIGINT NOT NULL, rate DECIMAL(18,9) NOT NULL,
    fx_month DATE NOT NULL, fx_rate DECIMAL(28,18) NOT NULL, rule_version VARCHAR NOT NULL, cause VARCHAR NOT NULL
);
CREATE TABLE derived.invitations (
    program VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, transaction_id VARCHAR NOT NULL, invited_on DATE NOT
    NULL, posted_on DATE NOT NULL
);
