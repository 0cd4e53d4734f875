FROM {{ source('released', 'earnings') }} UNION ALL BY NAME FROM {{ ref('added__earnings') }}
