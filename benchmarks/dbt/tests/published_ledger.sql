-- Published sums are the ledger's sums.
SELECT program, currency FROM (
    SELECT program, currency, earning FROM {{ ref('added__earnings_monthly') }}
    UNION ALL SELECT program, currency, -amount FROM {{ ref('added__earnings_ledger') }} WHERE lever <> 'settlement'
) GROUP BY ALL HAVING sum(earning) <> 0
