-- Requests known on the day that have no answer yet, in the order in which they were made; `claimed_by` made the one in dispute, to a fund of `claimed_in`.
WITH asked AS (
    FROM clean.partner_requests WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
)
SELECT
    request_id, requested_at, requested_by, asked.partner_id, program, request_kind, subject, user_email, role, product_family,
    association, activity_type, requested_minor, currency, occurred_on, account_holder, iban, payout_currency,
    claim.partner_id AS claimed_by, claim.claimed_in
FROM asked ANTI JOIN derived.answered_requests USING (request_id)
LEFT JOIN (SELECT request_id AS subject, partner_id, CASE request_kind WHEN 'coop_claim' THEN program END AS claimed_in FROM asked) AS claim USING (subject)
WHERE NOT is_withdrawn ORDER BY requested_at, request_id
