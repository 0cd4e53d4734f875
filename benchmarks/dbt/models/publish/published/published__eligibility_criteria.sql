{{ config(materialized='table') }}
FROM {{ ref('criteria') }}
