{{ config(materialized='table') }}
SELECT partner_id, global_partner_id, partner_name, country, tenant_country, partner_type, reseller_status
FROM {{ source('clean', 'partners') }}
