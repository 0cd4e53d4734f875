MODEL (
  name published.main.liability,
  kind VIEW
);

SELECT *, sum(earned + moved) OVER (PARTITION BY program, earning_type, currency ORDER BY period) AS closing
FROM (
    SELECT period, program, earning_type, currency, sum(earned) AS earned,
        sum(coalesce(adjusted - paid - forfeited - escheated, 0)) AS moved
    FROM (FROM @released(liability) UNION ALL BY NAME FROM published.added.liability) GROUP BY ALL
)
