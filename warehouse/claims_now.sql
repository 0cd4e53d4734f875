-- Claims to customers as known on the day: as delivered, and those that partners asked for, from the day after the answer on.
CREATE OR REPLACE TEMP VIEW claims_now AS
WITH asked AS (
    SELECT request_id, requested_at, subject, product_family, association FROM clean.partner_requests
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
), answered AS (
    SELECT request_id, partner_id, request_kind FROM derived.answered_requests
    WHERE outcome = 'accepted' AND answered_on < $as_of
), reviews AS (
    SELECT request_id, arg_max(review_outcome, (reviewed_at, review_id)) AS review_outcome, max(reviewed_at) AS reviewed_at
    FROM clean.request_reviews
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn GROUP BY request_id
), disputes AS (
    SELECT subject AS request_id, partner_id, max(requested_at) AS disputed_at
    FROM answered JOIN asked USING (request_id) WHERE request_kind = 'dispute' GROUP BY ALL
)
SELECT claim_id, partner_id, customer_id, product_family, association, claim_status, approved_on, valid_from, valid_to
FROM clean.claims WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
UNION ALL BY NAME
SELECT
    request_id AS claim_id, partner_id, subject AS customer_id, product_family, association,
    CASE WHEN review_outcome = 'rejected' AND disputed_at > reviewed_at THEN 'disputed'
        WHEN review_outcome = 'action_required' THEN 'partner_action_required'
        ELSE coalesce(review_outcome, 'submitted') END AS claim_status,
    CASE WHEN review_outcome = 'approved' THEN reviewed_at::DATE END AS approved_on,
    requested_at::DATE AS valid_from, NULL::DATE AS valid_to
FROM answered JOIN asked USING (request_id) LEFT JOIN reviews USING (request_id) LEFT JOIN disputes USING (request_id, partner_id)
WHERE request_kind = 'association_claim' AND request_id NOT IN (SELECT claim_id FROM clean.claims WHERE known_from <= $as_of)
