-- Agreements as known on the day.
SELECT agreement_id, partner_id, agreement_type, agreement_status, signed_on, valid_from, valid_to
FROM clean.agreements SEMI JOIN judged_partners USING (partner_id)
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
