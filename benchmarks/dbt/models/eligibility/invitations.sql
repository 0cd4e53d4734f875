{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, schema='derived') }}
SELECT 'csp-indirect-reseller' AS program, partner_id, transaction_id, {{ day() }} AS invited_on
FROM {{ ref('first_sales') }}
SEMI JOIN (FROM {{ source('clean', 'partners') }} WHERE partner_type = 'indirect_reseller') USING (partner_id)
ANTI JOIN {{ this }} USING (partner_id)
