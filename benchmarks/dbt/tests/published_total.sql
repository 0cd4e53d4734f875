-- Ineligible revenue is the revenue of the lines that earn nothing.
SELECT program, currency FROM (
    SELECT program, currency, revenue FROM {{ ref('added__decisions') }} WHERE decision <> 'eligible'
    UNION ALL SELECT program, currency, -revenue FROM {{ ref('added__ineligible_revenue') }}
) GROUP BY ALL HAVING sum(revenue) <> 0
