-- What each partner sold on each day in each currency, with the rate of its month into each program currency; and
-- nothing on the first day of all history, so that this day is known for partners without a sale too.
WITH history AS (SELECT getvariable('history_from')::DATE AS history_from), sold AS (
    FROM daily_revenue SEMI JOIN judged_partners USING (partner_id)
), targets AS (SELECT DISTINCT program_currency FROM program_earners)
SELECT
    partner_id, history_from AS transaction_on, program_currency AS currency, program_currency, 0::BIGINT AS revenue_minor,
    exponent, exponent AS program_exponent, 1::DECIMAL(28,18) AS fx_rate, history_from
FROM judged_partners CROSS JOIN history CROSS JOIN targets JOIN meta.currencies ON currency = program_currency
WHERE history_from IS NOT NULL
UNION ALL
SELECT
    partner_id, transaction_on, sold.currency, program_currency, revenue_minor,
    own.exponent AS exponent, target.exponent AS program_exponent,
    CASE WHEN sold.currency = program_currency THEN 1::DECIMAL(28,18) ELSE fx.fx_rate END AS fx_rate,
    history_from
FROM sold CROSS JOIN targets CROSS JOIN history
JOIN meta.currencies AS own ON own.currency = sold.currency
JOIN meta.currencies AS target ON target.currency = program_currency
LEFT JOIN clean.fx_rates AS fx
    ON fx.from_currency = sold.currency AND fx.to_currency = program_currency
    AND fx.fx_month = date_trunc('month', transaction_on)
    AND fx.known_from <= $as_of AND (fx.known_to IS NULL OR fx.known_to > $as_of) AND NOT fx.is_withdrawn
