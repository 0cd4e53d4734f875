-- Agreements that are stored already stay as they are.
SELECT agreement_id, partner_id, agreement_type, agreement_status, signed_on::DATE, valid_from::DATE, valid_to::DATE
FROM {{ source('delivered', 'agreements') }}
EXCEPT
SELECT agreement_id, partner_id, agreement_type, agreement_status, signed_on, valid_from, valid_to
FROM {{ source('clean', 'agreements') }}
