-- How each partner is paid: its country and profiles, and the newest account that it named, as known on the day; until
-- when it could be paid, missing if never.
WITH asked AS (
    SELECT request_id, requested_at, payout_currency FROM clean.partner_requests
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
), accounts AS (
    SELECT
        partner_id, arg_max(request_id, (answered_on, requested_at, request_id)) AS request_id,
        arg_max(payout_currency, (answered_on, requested_at, request_id)) AS payout_currency,
        max(answered_on) AS named_on, min(answered_on) AS first_named_on, count(*) > 1 AS is_changed
    FROM derived.answered_requests JOIN asked USING (request_id)
    WHERE request_kind = 'payee_profile' AND outcome = 'accepted' AND answered_on <= $as_of GROUP BY partner_id
), known AS (
    SELECT partner_id, max(least(coalesce(known_to, $as_of), $as_of)) AS known_until
    FROM clean.payee_profiles JOIN accounts USING (partner_id)
    WHERE bank_status = 'approved' AND tax_status = 'approved' AND NOT is_withdrawn
        AND known_from <= $as_of AND (known_to IS NULL OR known_to > first_named_on) GROUP BY partner_id
)
SELECT partner_id, country, bank_status, tax_status, request_id, accounts.payout_currency, named_on, is_changed, known_until
FROM clean.partners LEFT JOIN (
    SELECT partner_id, bank_status, tax_status FROM clean.payee_profiles
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
) USING (partner_id) LEFT JOIN accounts USING (partner_id) LEFT JOIN known USING (partner_id)
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
