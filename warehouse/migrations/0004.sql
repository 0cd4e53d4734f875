-- Earnings say what growth is compared with; who holds which customers is kept.
ALTER TABLE derived.earnings RENAME TO earnings_3;
CREATE TABLE derived.earnings (
    transaction_id VARCHAR NOT NULL, program VARCHAR NOT NULL, lever VARCHAR NOT NULL, bracket BIGINT NOT NULL,
    partner_id VARCHAR NOT NULL, earning_month DATE NOT NULL, rate DECIMAL(18,9), unit_amount DECIMAL(18,9), position
    DECIMAL(38,6) NOT NULL, baseline DECIMAL(38,6), held_by VARCHAR, is_illustrative BOOLEAN NOT NULL, base_minor BIGINT NOT NULL, currency
    VARCHAR NOT NULL, earning_minor BIGINT NOT NULL, rebate_minor BIGINT NOT NULL, coop_minor BIGINT NOT NULL,
    fx_month DATE NOT NULL, fx_rate DECIMAL(28,18) NOT NULL, program_currency VARCHAR NOT NULL,
    program_earning_minor BIGINT NOT NULL, program_rebate_minor BIGINT NOT NULL, program_coop_minor BIGINT NOT NULL,
    rule_version VARCHAR NOT NULL, known_from DATE NOT NULL, known_to DATE
);
INSERT INTO derived.earnings BY NAME FROM derived.earnings_3;
DROP TABLE derived.earnings_3;
CREATE TABLE derived.holders (
    program VARCHAR NOT NULL, lever VARCHAR NOT NULL, scope VARCHAR NOT NULL, partner_id VARCHAR NOT NULL,
    transaction_id VARCHAR NOT NULL, held_since TIMESTAMP NOT NULL, known_from DATE NOT NULL, known_to DATE
);
