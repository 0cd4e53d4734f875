-- Partners ask for things and are answered; the ledger holds what becomes of funds and payments too.
CREATE TABLE clean.partner_requests (request_id VARCHAR NOT NULL, requested_at TIMESTAMP NOT NULL, requested_by
    VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, program VARCHAR NOT NULL, request_kind VARCHAR NOT NULL, subject
    VARCHAR, user_email VARCHAR, user_name VARCHAR, role VARCHAR, product_family VARCHAR, association VARCHAR,
    activity_type VARCHAR, requested_minor BIGINT, currency VARCHAR, occurred_on DATE, account_holder VARCHAR, iban
    VARCHAR, payout_currency VARCHAR, note VARCHAR, business_date DATE NOT NULL, delivery_id VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL, line_number BIGINT NOT NULL, known_from DATE NOT NULL, known_to DATE, confirmed_on
    DATE, is_withdrawn BOOLEAN NOT NULL);
CREATE TABLE clean.request_reviews (review_id VARCHAR NOT NULL, request_id VARCHAR NOT NULL, reviewed_at TIMESTAMP NOT
    NULL, reviewed_by VARCHAR NOT NULL, review_outcome VARCHAR NOT NULL, approved_minor BIGINT, currency VARCHAR, note
    VARCHAR, business_date DATE NOT NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, line_number BIGINT
    NOT NULL, known_from DATE NOT NULL, known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN NOT NULL);
CREATE TABLE derived.answered_requests (request_id VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, program VARCHAR NOT
    NULL, request_kind VARCHAR NOT NULL, outcome VARCHAR NOT NULL, reason_code VARCHAR, answered_on DATE NOT NULL);
ALTER TABLE derived.earnings_ledger ADD COLUMN payment_id VARCHAR;
