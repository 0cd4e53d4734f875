-- Programs of enrolments, users and invoices are known.
{{ config(severity='warn') }}
SELECT program FROM (
    SELECT program FROM {{ source('clean', 'enrolments') }} UNION ALL SELECT program FROM {{ source('clean', 'users') }}
    UNION ALL SELECT program FROM {{ source('clean', 'tax_invoices') }}
) ANTI JOIN {{ ref('rules') }} USING (program) WHERE program <> '*'
