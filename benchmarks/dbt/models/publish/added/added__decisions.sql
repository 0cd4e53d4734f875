SELECT transaction_id, program, partner_id, decision, levers, reason_codes, reference_on, earning_month,
    {{ amount('revenue_minor') }} AS revenue, currency, rule_version, known_from
FROM {{ ref('decisions') }} JOIN {{ source('meta', 'currencies') }} USING (currency) WHERE known_from = {{ day() }}
