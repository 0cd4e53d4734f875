-- The ledger says its accounting month and what exactly changed; runs are chained; months close; rule edits wait.
ALTER TABLE derived.earnings_ledger RENAME TO earnings_ledger_1;
CREATE TABLE derived.earnings_ledger (
    entry_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, posted_on DATE NOT NULL, period DATE NOT NULL,
    transaction_id VARCHAR, adjustment_id VARCHAR, program VARCHAR NOT NULL, lever VARCHAR NOT NULL, bracket BIGINT
    NOT NULL, partner_id VARCHAR NOT NULL, earning_type VARCHAR NOT NULL, earning_month DATE NOT NULL, currency
    VARCHAR NOT NULL, amount_minor BIGINT NOT NULL, program_currency VARCHAR NOT NULL, program_amount_minor BIGINT
    NOT NULL, rate DECIMAL(18,9), fx_month DATE, fx_rate DECIMAL(28,18), rule_version VARCHAR, cause VARCHAR NOT
    NULL, cause_detail VARCHAR
);
INSERT INTO derived.earnings_ledger BY NAME SELECT *, date_trunc('month', posted_on)::DATE AS period FROM derived.earnings_ledger_1;
DROP TABLE derived.earnings_ledger_1;
ALTER TABLE derived.runs RENAME TO runs_1;
CREATE TABLE derived.runs (
    run_id VARCHAR NOT NULL, run_number BIGINT NOT NULL, business_date DATE NOT NULL, rules_hash VARCHAR NOT NULL,
    engine_version VARCHAR NOT NULL, deliveries VARCHAR NOT NULL, rows_read BIGINT NOT NULL, entry_count BIGINT,
    entries_hash VARCHAR, chain_head VARCHAR, message VARCHAR
);
INSERT INTO derived.runs BY NAME SELECT *, row_number() OVER (ORDER BY business_date) AS run_number FROM derived.runs_1;
DROP TABLE derived.runs_1;
CREATE TABLE derived.closes (
    period DATE NOT NULL, closed_on DATE NOT NULL, closed_by VARCHAR NOT NULL, run_number BIGINT NOT NULL
);
CREATE TABLE derived.rule_edits (
    rules_hash VARCHAR NOT NULL, edit_status VARCHAR NOT NULL, noted_on DATE NOT NULL, entry_count BIGINT NOT NULL,
    written_by VARCHAR, approved_by VARCHAR, restated_from DATE
);
CREATE TABLE derived.adjustments (
    adjustment_id VARCHAR NOT NULL, program VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, earning_month DATE NOT
    NULL, earning_type VARCHAR NOT NULL, currency VARCHAR NOT NULL, amount_minor BIGINT NOT NULL, adjustment_reason
    VARCHAR NOT NULL, note VARCHAR, written_by VARCHAR NOT NULL, approved_by VARCHAR NOT NULL, reference VARCHAR NOT
    NULL, posted_on DATE NOT NULL
);
