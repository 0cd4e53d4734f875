SELECT *, sum(earned + moved) OVER (PARTITION BY program, earning_type, currency ORDER BY period) AS closing
FROM (
    SELECT period, program, earning_type, currency, sum(earned) AS earned,
        sum(coalesce(adjusted - paid - forfeited - escheated, 0)) AS moved
    FROM (FROM {{ source('released', 'liability') }} UNION ALL BY NAME FROM {{ ref('added__liability') }}) GROUP BY ALL
)
