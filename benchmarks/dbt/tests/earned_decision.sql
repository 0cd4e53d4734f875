-- Only eligible lines earn.
FROM {{ ref('earnings') }}
ANTI JOIN (FROM {{ ref('decisions') }} WHERE decision = 'eligible' AND known_from = {{ day() }}) USING (transaction_id, program)
WHERE known_from = {{ day() }}
