FROM {{ source('released', 'transactions') }} UNION ALL BY NAME FROM {{ ref('added__transactions') }}
