-- The liability is the ledger's.
SELECT program, earning_type, currency FROM (
    SELECT program, earning_type, currency, earned AS moved FROM {{ ref('added__liability') }}
    UNION ALL SELECT program, earning_type, currency, -amount FROM {{ ref('added__earnings_ledger') }}
) GROUP BY ALL HAVING sum(moved) <> 0
