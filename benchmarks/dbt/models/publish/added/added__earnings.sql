SELECT transaction_id, program, lever, bracket, partner_id, earning_month, rate, unit_amount, position, held_by,
    is_illustrative, {{ amount('base_minor') }} AS base, currency, {{ amount('earning_minor') }} AS earning,
    {{ amount('rebate_minor') }} AS rebate, {{ amount('coop_minor') }} AS coop, fx_month, fx_rate, program_currency,
    {{ amount('program_earning_minor', 2) }} AS program_earning, {{ amount('program_rebate_minor', 2) }} AS program_rebate,
    {{ amount('program_coop_minor', 2) }} AS program_coop, rule_version, known_from
FROM {{ ref('earnings') }} JOIN {{ source('meta', 'currencies') }} USING (currency) WHERE known_from = {{ day() }}
