{{ config(materialized='table') }}
FROM {{ ref('standing') }}
