-- The earnings of benchmarks/six_levers/ for all decided lines at once: what benchmarks/rules_data.py makes, and no more.
-- Measures are whole numbers of 1 / 10^13 USD, `unit` of them to a minor unit of the line's currency.
CREATE TEMP TABLE refunds AS
SELECT refund.transaction_id, refund.root_id, least(-refund.revenue_minor, head.revenue_minor) AS part, head.revenue_minor AS whole,
    least(-refund.quantity_micro, head.quantity_micro) AS quantity_part, head.quantity_micro AS quantity_whole
FROM (FROM decided_lines WHERE root_id IS NOT NULL) AS refund JOIN decided_lines AS head ON head.transaction_id = refund.root_id;
CREATE TEMP TABLE sold AS
WITH moving AS (
    SELECT transaction_id, transaction_id AS root_id, false AS is_refund, partner_id, customer_id, reference_at, revenue_minor,
        quantity_micro, currency, exponent, fx_month, fx_rate, rule_version
    FROM decided_lines WHERE root_id IS NULL
    UNION ALL
    SELECT transaction_id, root_id, true, partner_id, customer_id, reference_at, -part, -quantity_part, currency, exponent,
        fx_month, fx_rate, rule_version
    FROM decided_lines JOIN refunds USING (transaction_id, root_id)
), measured AS (
    SELECT *, (fx_rate * 10000000000)::HUGEINT * (10 ** (3 - exponent))::BIGINT AS unit, revenue_minor * unit AS measure,
        date_trunc('quarter', fx_month) AS quarter
    FROM moving
), counted AS (
    SELECT *, sum(measure) OVER (PARTITION BY partner_id, fx_month ORDER BY reference_at, root_id, is_refund
            ROWS UNBOUNDED PRECEDING) - measure AS before_month,
        sum(measure) OVER (PARTITION BY partner_id, quarter ORDER BY reference_at, root_id, is_refund
            ROWS UNBOUNDED PRECEDING) - measure AS before_quarter,
        sum(measure) OVER (PARTITION BY partner_id, quarter) AS total_quarter,
        sum(measure) OVER (PARTITION BY partner_id, customer_id, fx_month) AS customer_month
    FROM measured
)
SELECT * EXCLUDE (is_refund, quarter), (CASE exponent WHEN 0 THEN 100 WHEN 3 THEN 0.1 ELSE 1 END)::DECIMAL(4,1) AS shift
FROM counted WHERE NOT is_refund;
CREATE TEMP MACRO own(amount, rate) AS trunc(amount::DECIMAL(12,0) * rate::DECIMAL(6,4))::BIGINT;
CREATE TEMP MACRO program_own(amount, rate, fx, shift) AS
    trunc((amount::DECIMAL(12,0) * rate::DECIMAL(6,4))::DECIMAL(20,4) * fx::DECIMAL(16,10) * shift)::BIGINT;
CREATE TEMP MACRO placed(measure) AS (measure // 10000000)::DECIMAL(38,0) * 0.000001;
INSERT INTO staging.derived.earnings BY NAME
WITH flat AS (
    SELECT *, 'flat' AS lever, 1 AS bracket, 0.02 AS rate, 0 AS position, NULL AS held_by, revenue_minor AS base_minor,
        own(revenue_minor, rate) AS earning_minor, program_own(revenue_minor, rate, fx_rate, shift) AS program_earning_minor
    FROM sold
), marginal AS (
    SELECT sold.*, 'marginal' AS lever, bracket, rate, placed(before_month) AS position, NULL AS held_by,
        least(high, before_month + measure) - greatest(low, before_month) AS part, (part // unit)::BIGINT AS base_minor,
        (part * (rate * 10000)::BIGINT // (unit * 10000))::BIGINT AS earning_minor,
        (part * (rate * 10000)::BIGINT // 1000000000000000)::BIGINT AS program_earning_minor
    FROM sold CROSS JOIN (
        SELECT bracket, rate, low * 10000000000000::HUGEINT AS low, high * 10000000000000::HUGEINT AS high
        FROM (VALUES (1, 0.01, 0, 2500), (2, 0.02, 2500, 10000), (3, 0.03, 10000, 1000000000000)) AS brackets (bracket, rate, low, high)
    ) WHERE part > 0
), retroactive AS (
    SELECT *, 'retroactive' AS lever, CASE WHEN total_quarter >= 25000 * 10000000000000::HUGEINT THEN 3
            WHEN total_quarter >= 15000 * 10000000000000::HUGEINT THEN 2 ELSE 1 END AS bracket,
        (CASE bracket WHEN 3 THEN 0.02 WHEN 2 THEN 0.015 ELSE 0.01 END)::DECIMAL(6,4) AS rate,
        placed(before_quarter) AS position, NULL AS held_by, revenue_minor AS base_minor,
        own(revenue_minor, rate) AS earning_minor, program_own(revenue_minor, rate, fx_rate, shift) AS program_earning_minor
    FROM sold
), asked AS (
    SELECT *, program_own(revenue_minor, 0.05, fx_rate, shift) AS asked FROM sold
), granted AS (
    SELECT *, greatest(least(asked, 200000 - (sum(asked) OVER (PARTITION BY partner_id, customer_id ORDER BY reference_at, root_id
        ROWS UNBOUNDED PRECEDING) - asked)), 0) AS granted FROM asked
), capped AS (
    SELECT * EXCLUDE (asked, granted), 'capped' AS lever, 1 AS bracket, 0.05 AS rate, 0 AS position,
        CASE WHEN granted < asked THEN 'cap' END AS held_by, revenue_minor AS base_minor,
        CASE WHEN granted < asked THEN (granted * 10000000000000::HUGEINT // (unit * 100))::BIGINT ELSE own(revenue_minor, rate) END AS earning_minor,
        granted::BIGINT AS program_earning_minor
    FROM granted
), with_minimum AS (
    SELECT *, 'with-minimum' AS lever, 1 AS bracket, 0.04 AS rate, 0 AS position,
        CASE WHEN customer_month < 250 * 10000000000000::HUGEINT THEN 'minimum' END AS held_by,
        CASE WHEN held_by IS NULL THEN revenue_minor ELSE 0 END AS base_minor, own(base_minor, rate) AS earning_minor,
        program_own(base_minor, rate, fx_rate, shift) AS program_earning_minor
    FROM sold
), by_unit AS (
    SELECT *, 'by-unit' AS lever, 1 AS bracket, NULL AS rate, 0.30 AS unit_amount, 0 AS position, NULL AS held_by,
        revenue_minor AS base_minor, (quantity_micro * 30000000000000::HUGEINT // (unit * 10000000))::BIGINT AS earning_minor,
        quantity_micro * 30 // 1000000 AS program_earning_minor
    FROM sold
), priced AS (
    FROM flat UNION ALL BY NAME FROM marginal UNION ALL BY NAME FROM retroactive UNION ALL BY NAME FROM capped
    UNION ALL BY NAME FROM with_minimum UNION ALL BY NAME FROM by_unit
)
SELECT transaction_id, 'six-levers' AS program, lever, bracket, partner_id, fx_month AS earning_month, rate, unit_amount,
    position, held_by, false AS is_illustrative, base_minor, currency, earning_minor,
    earning_minor - trunc(earning_minor * 0.4)::BIGINT AS rebate_minor, trunc(earning_minor * 0.4)::BIGINT AS coop_minor,
    fx_month, fx_rate, 'USD' AS program_currency, program_earning_minor,
    program_earning_minor - trunc(program_earning_minor * 0.4)::BIGINT AS program_rebate_minor,
    trunc(program_earning_minor * 0.4)::BIGINT AS program_coop_minor, rule_version
FROM priced;
INSERT INTO staging.derived.earnings BY NAME
WITH taken AS (
    SELECT earnings.* EXCLUDE (transaction_id), refunds.transaction_id,
        CASE lever WHEN 'by-unit' THEN quantity_part ELSE part END AS by_part,
        CASE lever WHEN 'by-unit' THEN quantity_whole ELSE whole END AS by_whole,
        -(earning_minor * by_part // by_whole) AS taken, -(program_earning_minor * by_part // by_whole) AS program_taken,
        (trunc((earning_minor + taken) * 0.4))::BIGINT - coop_minor AS coop_taken,
        (trunc((program_earning_minor + program_taken) * 0.4))::BIGINT - program_coop_minor AS program_coop_taken
    FROM staging.derived.earnings AS earnings JOIN refunds ON refunds.root_id = earnings.transaction_id
)
SELECT * EXCLUDE (by_part, by_whole, taken, program_taken, coop_taken, program_coop_taken) REPLACE (
    -(base_minor * by_part // by_whole) AS base_minor, taken AS earning_minor, taken - coop_taken AS rebate_minor,
    coop_taken AS coop_minor, program_taken AS program_earning_minor,
    program_taken - program_coop_taken AS program_rebate_minor, program_coop_taken AS program_coop_minor
) FROM taken;
