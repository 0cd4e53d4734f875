-- Payments are proposed, approved, sent and answered by the bank; taxes are withheld or paid on top.
CREATE TABLE clean.payout_payments (payment_id VARCHAR NOT NULL, batch_id VARCHAR NOT NULL, cycle_on
    DATE NOT NULL, cut_on DATE NOT NULL, proposed_by VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, program VARCHAR NOT
    NULL, earning_type VARCHAR NOT NULL, currency VARCHAR NOT NULL, payment_minor BIGINT NOT NULL, program_currency
    VARCHAR NOT NULL, program_payment_minor BIGINT NOT NULL, withheld_minor BIGINT NOT NULL, sales_tax_minor BIGINT NOT
    NULL, payout_currency VARCHAR NOT NULL, fx_rate DECIMAL(28,18) NOT NULL, payout_minor BIGINT NOT NULL, request_id
    VARCHAR NOT NULL, invoice_number VARCHAR, business_date DATE NOT NULL, delivery_id VARCHAR NOT NULL, file_name
    VARCHAR NOT NULL, line_number BIGINT NOT NULL, known_from DATE NOT NULL, known_to DATE, confirmed_on DATE,
    is_withdrawn BOOLEAN NOT NULL);
CREATE TABLE clean.payout_approvals (batch_id VARCHAR NOT NULL, batch_hash VARCHAR NOT NULL, approval
    VARCHAR NOT NULL, decided_by VARCHAR NOT NULL, decided_at TIMESTAMP NOT NULL, note VARCHAR, business_date DATE NOT
    NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, line_number BIGINT NOT NULL, known_from DATE NOT
    NULL, known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN NOT NULL);
CREATE TABLE clean.bank_messages (message_id VARCHAR NOT NULL, payment_id VARCHAR NOT NULL,
    reported_status VARCHAR NOT NULL, bank_reason VARCHAR, reported_at TIMESTAMP NOT NULL, business_date DATE NOT NULL,
    delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, line_number BIGINT NOT NULL, known_from DATE NOT NULL,
    known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN NOT NULL);
CREATE TABLE clean.tax_rates (country VARCHAR NOT NULL, tax_kind VARCHAR NOT NULL, tax_rate
    DECIMAL(18,9) NOT NULL, valid_from DATE NOT NULL, valid_to DATE, business_date DATE NOT NULL, delivery_id VARCHAR
    NOT NULL, file_name VARCHAR NOT NULL, line_number BIGINT NOT NULL, known_from DATE NOT NULL, known_to DATE,
    confirmed_on DATE, is_withdrawn BOOLEAN NOT NULL);
CREATE TABLE clean.tax_invoices (partner_id VARCHAR NOT NULL, program VARCHAR NOT NULL, invoice_number
    VARCHAR NOT NULL, invoiced_on DATE NOT NULL, invoice_status VARCHAR NOT NULL, business_date DATE NOT NULL,
    delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, line_number BIGINT NOT NULL, known_from DATE NOT NULL,
    known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN NOT NULL);
CREATE TABLE derived.payments (payment_id VARCHAR NOT NULL, batch_id VARCHAR NOT NULL, cycle_on DATE
    NOT NULL, cut_on DATE NOT NULL, partner_id VARCHAR NOT NULL, program VARCHAR NOT NULL, earning_type VARCHAR NOT
    NULL, currency VARCHAR NOT NULL, payment_minor BIGINT NOT NULL, program_currency VARCHAR NOT NULL,
    program_payment_minor BIGINT NOT NULL, withheld_minor BIGINT NOT NULL, sales_tax_minor BIGINT NOT NULL,
    payout_currency VARCHAR NOT NULL, fx_rate DECIMAL(28,18) NOT NULL, payout_minor BIGINT NOT NULL, invoice_number
    VARCHAR, payment_status VARCHAR NOT NULL, status_on DATE NOT NULL, bank_reason VARCHAR, known_from DATE NOT NULL,
    known_to DATE);
CREATE TABLE derived.coop_claims (request_id VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, program VARCHAR NOT
    NULL, half_from DATE NOT NULL, currency VARCHAR NOT NULL, activity_type VARCHAR NOT NULL, occurred_on DATE NOT NULL,
    requested_minor BIGINT NOT NULL, approved_minor BIGINT, claimed_minor BIGINT NOT NULL, coop_claim_status VARCHAR NOT
    NULL, status_on DATE NOT NULL, known_from DATE NOT NULL, known_to DATE);
