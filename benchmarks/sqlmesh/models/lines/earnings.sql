MODEL (
  name derived.earnings,
  kind INCREMENTAL_BY_TIME_RANGE (time_column known_from),
  description 'What one line should earn in one bracket of one lever.',
  depends_on (derived.decisions),
  audits (
    not_null(columns := (transaction_id, program, lever, bracket, partner_id, earning_month, position, is_illustrative,
        base_minor, currency, earning_minor, rebate_minor, coop_minor, fx_month, fx_rate, program_currency,
        program_earning_minor, program_rebate_minor, program_coop_minor, rule_version)),
    accepted_values(column := held_by, is_in := ('exclusive_partner', 'one_earning', 'baseline', 'minimum', 'stack',
        'cap')),
    unique_combination_of_columns(columns := (transaction_id, program, lever, bracket)),
    priced_earnings,
    split_earning,
    sign_rate,
    sign_earning,
    earned_decision
  )
);

-- Each eligible line priced in both currencies and split; a refund takes back of what its original earned.
WITH priced AS (
    SELECT transaction_id, program, lever, partner_id, reference_on, rate, is_illustrative, currency, fx_rate,
        revenue_minor AS base_minor, trunc(revenue_minor::DECIMAL(12,0) * rate::DECIMAL(6,4))::BIGINT AS earning_minor,
        trunc((revenue_minor::DECIMAL(12,0) * rate::DECIMAL(6,4))::DECIMAL(20,4) * fx_rate
            * (CASE exponent WHEN 0 THEN 100 WHEN 3 THEN 0.1 ELSE 1 END)::DECIMAL(4,1))::BIGINT AS program_earning_minor
    FROM working.decided WHERE known_from = @end_date AND decision = 'eligible' AND reverses IS NULL
), refunds AS ( -- none is of more than its original; each takes its part of what that earned, rounded once
    SELECT line.transaction_id, program, original.lever, line.partner_id, line.reference_on, original.rate,
        original.is_illustrative, line.currency, line.fx_rate, least(-revenue_minor, base_minor) AS part, -part AS base_minor,
        -(earning_minor * part // original.base_minor) AS earning_minor,
        -(program_earning_minor * part // original.base_minor) AS program_earning_minor,
        original.earning_minor AS left_minor, original.program_earning_minor AS program_left_minor
    FROM (FROM working.decided WHERE known_from = @end_date AND decision = 'eligible' AND reverses IS NOT NULL) AS line
    JOIN priced AS original USING (program) WHERE original.transaction_id = line.reverses
), earned AS ( -- split by what is left of the original after a refund and before it
    SELECT *, (trunc((coalesce(left_minor, 0) + earning_minor) * 0.4) - trunc(coalesce(left_minor, 0) * 0.4))::BIGINT AS coop_minor,
        (trunc((coalesce(program_left_minor, 0) + program_earning_minor) * 0.4)
            - trunc(coalesce(program_left_minor, 0) * 0.4))::BIGINT AS program_coop_minor
    FROM (FROM priced UNION ALL BY NAME FROM refunds)
)
SELECT transaction_id, program, lever, 1 AS bracket, partner_id, date_trunc('month', reference_on)::DATE AS earning_month, rate,
    NULL AS unit_amount, 0 AS position, NULL AS baseline, NULL::VARCHAR AS held_by, is_illustrative, base_minor, currency,
    earning_minor, earning_minor - coop_minor AS rebate_minor,
    coop_minor, date_trunc('month', reference_on)::DATE AS fx_month, fx_rate,
    'USD' AS program_currency, program_earning_minor,
    program_earning_minor - program_coop_minor AS program_rebate_minor,
    program_coop_minor, 'sqlmesh' AS rule_version, @end_date AS known_from,
    NULL::DATE AS known_to
FROM earned;

AUDIT (name priced_earnings);
SELECT * FROM @this_model WHERE NOT (CASE bracket WHEN 0 THEN rate IS NULL AND unit_amount IS NULL ELSE (rate IS NULL) <> (unit_amount IS NULL) END);

AUDIT (name split_earning);
SELECT * FROM @this_model WHERE NOT (rebate_minor + coop_minor = earning_minor AND program_rebate_minor + program_coop_minor = program_earning_minor);

AUDIT (name sign_rate);
SELECT * FROM @this_model WHERE NOT (rate >= 0);

AUDIT (name sign_earning);
SELECT * FROM @this_model WHERE NOT (rate IS NULL OR base_minor = 0 OR earning_minor = 0 OR sign(earning_minor) = sign(base_minor));

AUDIT (name earned_decision);
-- Only eligible lines earn.
SELECT transaction_id, program FROM @this_model
ANTI JOIN (SELECT transaction_id, program FROM derived.decisions WHERE decision = 'eligible' AND known_from = @end_date)
    USING (transaction_id, program)
