{{ config(schema='main') }}
SELECT * EXCLUDE (is_usable) FROM {{ ref('typed') }} WHERE NOT is_usable
