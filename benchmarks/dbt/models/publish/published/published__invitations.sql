{{ config(materialized='table') }}
SELECT program, partner_id, transaction_id, invited_on FROM {{ ref('invitations') }}
