-- For each open claim to a co-op fund: its half year, what the fund has accrued, what others claim of it already.
WITH claim AS (
    SELECT request_id, requested_at, partner_id, claim.program, half_from, half_to, minimum_minor, currency, activity_type, requested_minor,
        requested_at >= claims_from AND requested_at < claims_to AS is_in_time
    FROM clean.partner_requests AS claim ANTI JOIN derived.answered_requests USING (request_id)
    JOIN coop_halves ON coop_halves.program = claim.program AND occurred_on >= half_to AND occurred_on < usage_to
    WHERE request_kind = 'coop_claim' AND known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
), fund AS (
    SELECT
        request_id, sum(program_amount_minor) AS program_total, sum(amount_minor) FILTER (entry.currency = claim.currency) AS accrued,
        sum(program_amount_minor) FILTER (entry.currency = claim.currency) AS program_accrued
    FROM claim JOIN derived.earnings_ledger AS entry ON entry.partner_id = claim.partner_id AND entry.program = claim.program
        AND earning_month >= half_from AND earning_month < half_to
    WHERE earning_type = 'coop' AND cause NOT IN ('paid', 'withheld', 'payment_returned') GROUP BY request_id
), others AS (
    SELECT
        claim.request_id, sum(held.claimed_minor) AS claimed,
        sum(held.claimed_minor) FILTER (held.activity_type = claim.activity_type) AS claimed_alike
    FROM claim JOIN derived.coop_claims AS held USING (partner_id, program, half_from, currency) WHERE known_to IS NULL
    GROUP BY ALL
)
SELECT
    request_id, requested_at, partner_id, program, half_from, half_to, currency, activity_type, requested_minor, is_in_time, minimum_minor,
    coalesce(program_total, 0)::BIGINT AS program_total_minor, coalesce(accrued, 0)::BIGINT AS accrued_minor,
    coalesce(program_accrued, 0)::BIGINT AS program_accrued_minor, coalesce(claimed, 0)::BIGINT AS claimed_minor,
    coalesce(claimed_alike, 0)::BIGINT AS claimed_alike_minor
FROM claim LEFT JOIN fund USING (request_id) LEFT JOIN others USING (request_id)
