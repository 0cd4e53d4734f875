-- What is owed: opening + earned ± adjusted − paid − forfeited − escheated = closing, month by month.
WITH moved AS (
    SELECT
        period, program, earning_type, currency,
        coalesce(sum(amount_minor) FILTER (cause <> 'adjustment'), 0)::BIGINT AS earned_minor,
        coalesce(sum(amount_minor) FILTER (cause = 'adjustment'), 0)::BIGINT AS adjusted_minor,
        0::BIGINT AS paid_minor, 0::BIGINT AS forfeited_minor, 0::BIGINT AS escheated_minor
    FROM derived.earnings_ledger GROUP BY ALL
), closing AS (
    SELECT *, earned_minor + adjusted_minor - paid_minor - forfeited_minor - escheated_minor AS movement_minor,
        sum(movement_minor) OVER (PARTITION BY program, earning_type, currency ORDER BY period)::BIGINT AS closing_minor
    FROM moved
)
SELECT *, closing_minor - movement_minor AS opening_minor, period <= (SELECT max(period) FROM derived.closes) IS TRUE AS is_closed
FROM closing
