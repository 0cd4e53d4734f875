-- The ledger equals what the day's lines should have earned.
SELECT transaction_id, program, lever, bracket, partner_id, earning_type, earning_month, currency, program_currency FROM (
    SELECT transaction_id, program, lever, bracket, partner_id, earning_type, earning_month, currency, program_currency,
        amount_minor, program_amount_minor
    FROM {{ ref('earnings_ledger') }} WHERE posted_on = {{ day() }} AND transaction_id IS NOT NULL
    {% for kind in ('rebate', 'coop') %}
    UNION ALL
    SELECT transaction_id, program, lever, bracket, partner_id, '{{ kind }}', earning_month, currency, program_currency,
        -{{ kind }}_minor, -program_{{ kind }}_minor
    FROM {{ ref('earnings') }} WHERE known_from = {{ day() }}
    {% endfor %}
) GROUP BY ALL HAVING sum(amount_minor) <> 0 OR sum(program_amount_minor) <> 0
