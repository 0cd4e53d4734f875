{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, schema='derived') }}
SELECT uuid()::VARCHAR AS entry_id, '{{ var("day") }}' AS run_id, {{ day() }} AS posted_on,
    date_trunc('month', {{ day() }})::DATE AS period, transaction_id, NULL::VARCHAR AS adjustment_id,
    NULL::VARCHAR AS payment_id, program, lever, bracket, partner_id, earning_type, earning_month, currency,
    CASE earning_type WHEN 'rebate' THEN rebate_minor ELSE coop_minor END AS amount_minor, program_currency,
    CASE earning_type WHEN 'rebate' THEN program_rebate_minor ELSE program_coop_minor END AS program_amount_minor,
    rate, fx_month, fx_rate, rule_version, 'new_line' AS cause, NULL::VARCHAR AS cause_detail
FROM {{ ref('earnings') }}, (SELECT unnest(['rebate', 'coop']) AS earning_type)
WHERE known_from = {{ day() }} AND (amount_minor <> 0 OR program_amount_minor <> 0)
