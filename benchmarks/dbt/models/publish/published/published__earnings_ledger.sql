FROM {{ source('released', 'earnings_ledger') }} UNION ALL BY NAME FROM {{ ref('added__earnings_ledger') }}
