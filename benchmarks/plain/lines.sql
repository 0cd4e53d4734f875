-- Each new line × program decided, priced in both currencies, split and posted; a refund takes back of what its original earned.
CREATE TEMP TABLE levers AS SELECT * FROM (VALUES
    ('csp-indirect-reseller', 'azure-fy21', ['azure'], false, 0.0400, false),
    ('csp-indirect-reseller', 'modern-work-fy21', ['office365', 'microsoft365', 'enterprise_mobility'], true, 0.0400, false),
    ('csp-indirect-reseller', 'business-applications-fy21', ['dynamics365', 'power_platform'], true, 0.0475, false),
    ('csp-indirect-provider', 'azure', ['azure'], false, 0.0200, true),
    ('csp-indirect-provider', 'modern-work', ['office365', 'microsoft365', 'enterprise_mobility'], true, 0.0200, true),
    ('csp-indirect-provider', 'business-applications', ['dynamics365', 'power_platform'], true, 0.0200, true)
) AS levers (program, lever, families, is_commercial, rate, is_illustrative);
CREATE TEMP TABLE decided AS
WITH sold AS (
    SELECT line.* REPLACE (coalesce(original.product_id, line.product_id) AS product_id), line.reverses IS NULL OR original.transaction_id IS NOT NULL AS is_original_known,
        coalesce(original.transaction_on, line.transaction_on) AS reference_on
    FROM clean.transactions AS line
    LEFT JOIN clean.transactions AS original ON original.transaction_id = line.reverses
    WHERE line.known_from = DATE '2021-04-02'
), parties AS (
    SELECT *, seller_id AS partner_id FROM sold WHERE seller_id IN (
        SELECT partner_id FROM clean.partners WHERE partner_type IN ('direct_bill', 'indirect_provider'))
    UNION ALL
    SELECT *, reseller_id FROM sold WHERE reseller_id IN (
        SELECT partner_id FROM clean.partners WHERE partner_type = 'indirect_reseller')
), joined AS (
    SELECT parties.*, standing.program, standing.eligibility = 'eligible' AS is_earning, standing.reason_codes AS standing_reasons,
        product.product_id IS NOT NULL AS is_product_known, product.product_family, product.product_segment, product.is_trial,
        levers.lever, levers.rate, levers.is_illustrative, own.exponent,
        CASE WHEN parties.currency = 'USD' THEN 1 ELSE fx.fx_rate END::DECIMAL(16,10) AS fx_rate
    FROM parties JOIN standing USING (partner_id)
    JOIN meta.currencies AS own ON own.currency = parties.currency
    LEFT JOIN clean.products AS product ON product.product_id = parties.product_id
    LEFT JOIN levers ON levers.program = standing.program AND list_contains(families, product_family)
        AND (NOT is_commercial OR product_segment = 'commercial') AND NOT is_trial
    LEFT JOIN clean.fx_rates AS fx ON fx.from_currency = parties.currency AND fx.to_currency = 'USD'
        AND fx.fx_month = date_trunc('month', reference_on)
)
SELECT *, nullif(concat_ws(',', CASE WHEN NOT is_earning THEN standing_reasons END,
        CASE WHEN is_product_known AND lever IS NULL THEN 'NOLEVER' END, CASE WHEN NOT is_product_known THEN 'UNKATTR' END,
        CASE WHEN fx_rate IS NULL THEN 'UNKFX' END, CASE WHEN NOT is_original_known THEN 'UNKREV' END), '') AS reason_codes,
    CASE WHEN NOT is_earning OR is_product_known AND lever IS NULL THEN 'ineligible'
        WHEN NOT is_product_known OR fx_rate IS NULL OR NOT is_original_known THEN 'undecided' ELSE 'eligible' END AS decision
FROM joined;
INSERT INTO derived.decisions BY NAME
SELECT transaction_id, program, partner_id, decision, CASE WHEN decision = 'eligible' THEN lever END AS levers, reason_codes,
    reference_on, date_trunc('month', reference_on)::DATE AS earning_month, revenue_minor, currency, 'plain' AS rule_version,
    DATE '2021-04-02' AS known_from
FROM decided;
INSERT INTO derived.earnings BY NAME
WITH priced AS (
    SELECT transaction_id, program, lever, partner_id, reference_on, rate, is_illustrative, currency, fx_rate,
        revenue_minor AS base_minor, trunc(revenue_minor::DECIMAL(12,0) * rate::DECIMAL(6,4))::BIGINT AS earning_minor,
        trunc((revenue_minor::DECIMAL(12,0) * rate::DECIMAL(6,4))::DECIMAL(20,4) * fx_rate
            * (CASE exponent WHEN 0 THEN 100 WHEN 3 THEN 0.1 ELSE 1 END)::DECIMAL(4,1))::BIGINT AS program_earning_minor
    FROM decided WHERE decision = 'eligible' AND reverses IS NULL
), refunds AS ( -- none is of more than its original; each takes its part of what that earned, rounded once
    SELECT line.transaction_id, program, lever, line.partner_id, line.reference_on, rate, original.is_illustrative, line.currency,
        line.fx_rate, least(-revenue_minor, base_minor) AS part, -part AS base_minor,
        -(earning_minor * part // original.base_minor) AS earning_minor,
        -(program_earning_minor * part // original.base_minor) AS program_earning_minor,
        original.earning_minor AS left_minor, original.program_earning_minor AS program_left_minor
    FROM (SELECT * EXCLUDE (lever, rate, is_illustrative) FROM decided WHERE decision = 'eligible' AND reverses IS NOT NULL) AS line
    JOIN priced AS original USING (program) WHERE original.transaction_id = line.reverses
), earned AS ( -- split by what is left of the original after a refund and before it
    SELECT *, (trunc((coalesce(left_minor, 0) + earning_minor) * 0.4) - trunc(coalesce(left_minor, 0) * 0.4))::BIGINT AS coop_minor,
        (trunc((coalesce(program_left_minor, 0) + program_earning_minor) * 0.4)
            - trunc(coalesce(program_left_minor, 0) * 0.4))::BIGINT AS program_coop_minor
    FROM (FROM priced UNION ALL BY NAME FROM refunds)
)
SELECT transaction_id, program, lever, 1 AS bracket, partner_id, date_trunc('month', reference_on)::DATE AS earning_month, rate,
    0 AS position, is_illustrative, base_minor, currency, earning_minor,
    earning_minor - coop_minor AS rebate_minor, coop_minor,
    date_trunc('month', reference_on)::DATE AS fx_month, fx_rate, 'USD' AS program_currency, program_earning_minor,
    program_earning_minor - program_coop_minor AS program_rebate_minor,
    program_coop_minor, 'plain' AS rule_version, DATE '2021-04-02' AS known_from
FROM earned;
INSERT INTO derived.earnings_ledger BY NAME
SELECT uuid()::VARCHAR AS entry_id, '2021-04-02' AS run_id, DATE '2021-04-02' AS posted_on, DATE '2021-04-01' AS period, transaction_id, program, lever, bracket,
    partner_id, earning_type, earning_month, currency,
    CASE earning_type WHEN 'rebate' THEN rebate_minor ELSE coop_minor END AS amount_minor, program_currency,
    CASE earning_type WHEN 'rebate' THEN program_rebate_minor ELSE program_coop_minor END AS program_amount_minor,
    rate, fx_month, fx_rate, rule_version, 'new_line' AS cause
FROM derived.earnings, (SELECT unnest(['rebate', 'coop']) AS earning_type)
WHERE known_from = DATE '2021-04-02' AND (amount_minor <> 0 OR program_amount_minor <> 0);
