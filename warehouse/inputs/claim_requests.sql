-- Claims to co-op funds that were taken up, with the last review and decision on each in its currency and the partner's last dispute of it, as known on the day.
WITH asked AS (
    SELECT request_id, requested_at, subject, currency, activity_type, occurred_on, requested_minor FROM clean.partner_requests
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
), answered AS (
    SELECT request_id, partner_id, program, request_kind FROM (
        SELECT request_id, partner_id, program, request_kind, outcome FROM derived.answered_requests
        UNION SELECT request_id, partner_id, program, request_kind, outcome FROM staging.derived.answered_requests
    ) WHERE outcome = 'accepted'
), reviews AS (
    SELECT
        request_id, arg_max(review_outcome, (reviewed_at, review_id)) AS review_outcome,
        arg_max(review_outcome, (reviewed_at, review_id)) FILTER (review_outcome IN ('approved', 'rejected')) AS decided_outcome,
        arg_max_null(approved_minor, (reviewed_at, review_id)) FILTER (review_outcome IN ('approved', 'rejected')) AS approved_minor,
        max(reviewed_at) AS reviewed_at
    FROM clean.request_reviews AS review JOIN asked USING (request_id)
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
        AND coalesce(review.currency = asked.currency, true)
    GROUP BY request_id
), disputes AS (
    SELECT subject AS request_id, partner_id, max(requested_at) AS disputed_at
    FROM answered JOIN asked USING (request_id) WHERE request_kind = 'dispute' GROUP BY ALL
)
SELECT
    answered.request_id, partner_id, answered.program, half_from, currency, activity_type, occurred_on, requested_minor,
    requested_at, review_outcome, decided_outcome, approved_minor, reviewed_at, disputed_at
FROM answered JOIN asked USING (request_id)
JOIN coop_halves ON coop_halves.program = answered.program AND occurred_on >= half_to AND occurred_on < usage_to
LEFT JOIN reviews USING (request_id) LEFT JOIN disputes USING (request_id, partner_id)
WHERE request_kind = 'coop_claim' ORDER BY answered.request_id
