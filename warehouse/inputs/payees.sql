-- How each partner is paid: its country and profiles, and the newest account that it named for a program or for all (`*`),
-- as known on the day; until when it could be paid, missing if never. Each partner has a row for all programs; an account
-- is changed if the partner named one before it.
WITH asked AS (
    SELECT request_id, requested_at, payout_currency FROM clean.partner_requests
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
), named AS (
    SELECT partner_id, program, request_id, payout_currency, answered_on, (answered_on, requested_at, request_id) AS place
    FROM derived.answered_requests JOIN asked USING (request_id)
    WHERE request_kind = 'payee_profile' AND outcome = 'accepted' AND answered_on <= $as_of
), accounts AS (
    SELECT
        partner_id, program, arg_max(request_id, place) AS request_id, arg_max(payout_currency, place) AS payout_currency,
        max(answered_on) AS named_on, max(place) > min(min(place)) OVER (PARTITION BY partner_id) AS is_changed
    FROM named GROUP BY partner_id, program
), known AS (
    SELECT partner_id, max(least(coalesce(known_to, $as_of), $as_of)) AS known_until
    FROM clean.payee_profiles JOIN (SELECT partner_id, min(answered_on) AS first_named_on FROM named GROUP BY partner_id) USING (partner_id)
    WHERE bank_status = 'approved' AND tax_status = 'approved' AND NOT is_withdrawn
        AND known_from <= $as_of AND (known_to IS NULL OR known_to > first_named_on) GROUP BY partner_id
)
SELECT partner_id, program, country, bank_status, tax_status, request_id, accounts.payout_currency, named_on, is_changed, known_until
FROM clean.partners JOIN (
    SELECT partner_id, program FROM accounts UNION SELECT partner_id, '*' FROM clean.partners
) USING (partner_id) LEFT JOIN (
    SELECT partner_id, bank_status, tax_status FROM clean.payee_profiles
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
) USING (partner_id) LEFT JOIN accounts USING (partner_id, program) LEFT JOIN known USING (partner_id)
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
