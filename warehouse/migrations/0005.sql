-- Partners claim customer associations; decisions name the claim by which a partner earns.
CREATE TABLE clean.claims (
    claim_id VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, customer_id VARCHAR NOT NULL, product_family VARCHAR NOT NULL,
    association VARCHAR NOT NULL, claim_status VARCHAR NOT NULL, approved_on DATE, valid_from DATE NOT NULL, valid_to DATE,
    business_date DATE NOT NULL, delivery_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, line_number BIGINT NOT NULL,
    known_from DATE NOT NULL, known_to DATE, confirmed_on DATE, is_withdrawn BOOLEAN NOT NULL
);
CREATE TABLE derived.associations (
    program VARCHAR NOT NULL, claim_id VARCHAR NOT NULL, customer_id VARCHAR NOT NULL, product_family VARCHAR NOT NULL,
    partner_id VARCHAR NOT NULL, association VARCHAR NOT NULL, valid_from DATE NOT NULL, valid_to DATE, yields_to
    VARCHAR NOT NULL, reason_code VARCHAR, known_from DATE NOT NULL, known_to DATE
);
ALTER TABLE derived.decisions ADD COLUMN claim_id VARCHAR;
