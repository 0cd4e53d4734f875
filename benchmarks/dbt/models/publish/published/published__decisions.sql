FROM {{ source('released', 'decisions') }} UNION ALL BY NAME FROM {{ ref('added__decisions') }}
