-- The day's rows and revenue are within 0.5 to 2 times the median of the last 7 same weekdays; beyond 0.1 to 10 it fails.
{{ config(fail_calc='coalesce(max(CASE WHEN share_of_usual BETWEEN 0.1 AND 10 THEN 1 ELSE 2 END), 0)', warn_if='> 0', error_if='> 1') }}
WITH delivered AS (
    SELECT business_date, unnest(['rows', currency]) AS figure, unnest([1, revenue_minor]) AS amount
    FROM {{ ref('transactions') }} WHERE business_date >= {{ day() }} - INTERVAL 49 DAY
        AND dayofweek(business_date) = dayofweek({{ day() }})
), daily AS (
    SELECT business_date, figure, sum(amount)::DOUBLE AS amount, count(*) AS line_count FROM delivered GROUP BY ALL
), usual AS (
    SELECT figure, median(amount) AS amount FROM daily WHERE business_date < {{ day() }} GROUP BY figure
    HAVING count(*) >= 3 AND (figure = 'rows' OR median(line_count) >= 30)
)
SELECT figure, daily.amount / usual.amount AS share_of_usual FROM daily JOIN usual USING (figure)
WHERE business_date = {{ day() }} AND usual.amount > 0 AND share_of_usual NOT BETWEEN 0.5 AND 2
