SELECT entry_id, posted_on, period, transaction_id, adjustment_id, program, lever, bracket, partner_id, earning_type,
    earning_month, currency, {{ amount('amount_minor') }} AS amount, program_currency,
    {{ amount('program_amount_minor', 2) }} AS program_amount, rate, fx_month, fx_rate, rule_version, cause, cause_detail
FROM {{ ref('earnings_ledger') }} JOIN {{ source('meta', 'currencies') }} USING (currency) WHERE posted_on = {{ day() }}
