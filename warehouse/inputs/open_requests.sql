-- Requests known on the day that have no answer yet, in the order in which they were made.
SELECT
    request_id, requested_at, requested_by, partner_id, program, request_kind, subject, user_email, role, product_family,
    association, activity_type, requested_minor, currency, occurred_on, account_holder, iban, payout_currency
FROM clean.partner_requests ANTI JOIN derived.answered_requests USING (request_id)
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
ORDER BY requested_at, request_id
