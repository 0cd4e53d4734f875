{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, schema='derived') }}
SELECT transaction_id, program, partner_id, NULL::VARCHAR AS claim_id, decision,
    CASE WHEN decision = 'eligible' THEN lever END AS levers, reason_codes, reference_on,
    date_trunc('month', reference_on)::DATE AS earning_month, revenue_minor, currency, 'dbt' AS rule_version,
    {{ day() }} AS known_from, NULL::DATE AS known_to
FROM {{ ref('decided') }}
