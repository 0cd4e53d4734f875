WITH moved AS (
    SELECT
        period, partner_id, program, earning_type, currency, sum(row_count) AS row_count, sum(earned) AS earned,
        sum(adjusted) AS adjusted, sum(paid) AS paid, sum(forfeited) AS forfeited, sum(escheated) AS escheated
    FROM $parts GROUP BY ALL
), closing AS (
    SELECT *, earned + adjusted - paid - forfeited - escheated AS movement,
        sum(movement) OVER (PARTITION BY partner_id, program, earning_type, currency ORDER BY period) AS closing
    FROM moved
)
SELECT *, closing - movement AS opening FROM closing
