SELECT earning_month, program, partner_id, currency, decision, reason_codes, sum(line_count)::BIGINT AS line_count, sum(revenue) AS revenue
FROM (FROM {{ source('released', 'ineligible_revenue') }} UNION ALL BY NAME FROM {{ ref('added__ineligible_revenue') }}) GROUP BY ALL
