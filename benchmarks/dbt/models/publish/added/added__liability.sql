SELECT period, program, earning_type, currency, {{ amount('sum(amount_minor)::BIGINT', 'any_value(exponent)') }} AS earned
FROM {{ ref('earnings_ledger') }} JOIN {{ source('meta', 'currencies') }} USING (currency) WHERE posted_on = {{ day() }}
GROUP BY period, program, earning_type, currency
