-- Reviews that count for nothing, as they are in another currency than the claim to a co-op fund, as known on the day.
SELECT review_id, review.currency AS review_currency, claim.request_id, claim.currency AS claim_currency
FROM clean.request_reviews AS review JOIN clean.partner_requests AS claim
    ON claim.request_id = review.request_id AND request_kind = 'coop_claim' AND claim.currency <> review.currency
WHERE NOT review.is_withdrawn AND review.known_from <= $as_of AND (review.known_to IS NULL OR review.known_to > $as_of)
    AND claim.known_from <= $as_of AND (claim.known_to IS NULL OR claim.known_to > $as_of)
ORDER BY review_id
