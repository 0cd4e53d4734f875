-- Earnings say where the line stood in its scope, what held them, and amounts that are paid by the unit; scopes are kept.
ALTER TABLE derived.earnings RENAME TO earnings_2;
CREATE TABLE derived.earnings (
    transaction_id VARCHAR NOT NULL, program VARCHAR NOT NULL, lever VARCHAR NOT NULL, bracket BIGINT NOT NULL,
    partner_id VARCHAR NOT NULL, earning_month DATE NOT NULL, rate DECIMAL(18,9), unit_amount DECIMAL(18,9), position
    DECIMAL(38,6) NOT NULL, held_by VARCHAR, is_illustrative BOOLEAN NOT NULL, base_minor BIGINT NOT NULL, currency
    VARCHAR NOT NULL, earning_minor BIGINT NOT NULL, rebate_minor BIGINT NOT NULL, coop_minor BIGINT NOT NULL,
    fx_month DATE NOT NULL, fx_rate DECIMAL(28,18) NOT NULL, program_currency VARCHAR NOT NULL,
    program_earning_minor BIGINT NOT NULL, program_rebate_minor BIGINT NOT NULL, program_coop_minor BIGINT NOT NULL,
    rule_version VARCHAR NOT NULL, known_from DATE NOT NULL, known_to DATE
);
INSERT INTO derived.earnings BY NAME SELECT *, 0 AS position FROM derived.earnings_2;
DROP TABLE derived.earnings_2;
CREATE TABLE derived.positions (
    program VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, cell_from DATE NOT NULL, lever VARCHAR NOT NULL, rule_part VARCHAR
    NOT NULL, cap_number BIGINT NOT NULL, scope VARCHAR NOT NULL, measure DECIMAL(38,21), under_cap_minor BIGINT, is_waiting
    BOOLEAN NOT NULL, last_at TIMESTAMP NOT NULL
);
