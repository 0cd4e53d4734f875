MODEL (
  name working.decided,
  kind INCREMENTAL_BY_TIME_RANGE (time_column known_from),
  description 'Each new line × program decided.'
);

WITH sold AS (
    SELECT line.* REPLACE (coalesce(original.product_id, line.product_id) AS product_id),
        line.reverses IS NULL OR original.transaction_id IS NOT NULL AS is_original_known,
        coalesce(original.transaction_on, line.transaction_on) AS reference_on
    FROM clean.transactions AS line
    LEFT JOIN clean.transactions AS original ON original.transaction_id = line.reverses
    WHERE line.known_from = @end_date
), parties AS (
    SELECT *, seller_id AS partner_id FROM sold WHERE seller_id IN (
        SELECT partner_id FROM clean.partners WHERE partner_type IN ('direct_bill', 'indirect_provider'))
    UNION ALL
    SELECT *, reseller_id FROM sold WHERE reseller_id IN (
        SELECT partner_id FROM clean.partners WHERE partner_type = 'indirect_reseller')
), joined AS (
    SELECT parties.*, standing.program, standing.eligibility = 'eligible' AS is_earning, standing.reason_codes AS standing_reasons,
        product.product_id IS NOT NULL AS is_product_known, levers.lever, levers.rate, levers.is_illustrative, own.exponent,
        CASE WHEN parties.currency = 'USD' THEN 1 ELSE fx.fx_rate END::DECIMAL(16,10) AS fx_rate
    FROM parties JOIN working.standing AS standing
        ON standing.partner_id = parties.partner_id AND standing.as_of = @end_date
    JOIN meta.currencies AS own ON own.currency = parties.currency
    LEFT JOIN clean.products AS product ON product.product_id = parties.product_id
    LEFT JOIN working.levers AS levers ON levers.program = standing.program
        AND list_contains(string_split(families, ' '), product_family)
        AND (NOT is_commercial OR product_segment = 'commercial') AND NOT is_trial
    LEFT JOIN clean.fx_rates AS fx ON fx.from_currency = parties.currency AND fx.to_currency = 'USD'
        AND fx.fx_month = date_trunc('month', reference_on)
)
SELECT *, nullif(concat_ws(',', CASE WHEN NOT is_earning THEN standing_reasons END,
        CASE WHEN is_product_known AND lever IS NULL THEN 'NOLEVER' END, CASE WHEN NOT is_product_known THEN 'UNKATTR' END,
        CASE WHEN fx_rate IS NULL THEN 'UNKFX' END, CASE WHEN NOT is_original_known THEN 'UNKREV' END), '') AS reason_codes,
    CASE WHEN NOT is_earning OR is_product_known AND lever IS NULL THEN 'ineligible'
        WHEN NOT is_product_known OR fx_rate IS NULL OR NOT is_original_known THEN 'undecided' ELSE 'eligible' END AS decision
FROM joined
