SELECT earning_month, program, partner_id, currency, decision, reason_codes, count(*) AS line_count,
    {{ amount('sum(revenue_minor)::BIGINT', 'any_value(exponent)') }} AS revenue
FROM {{ ref('decisions') }} JOIN {{ source('meta', 'currencies') }} USING (currency)
WHERE decision <> 'eligible' AND known_from = {{ day() }}
GROUP BY earning_month, program, partner_id, currency, decision, reason_codes
