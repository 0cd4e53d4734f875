-- What moved each partner's balances, month by month, as `liability` tells it of all.
SELECT
    period, partner_id, program, earning_type, currency, count(*) AS row_count,
    coalesce(sum(amount_minor) FILTER (lever <> 'settlement' AND cause <> 'adjustment'), 0)::BIGINT AS earned_minor,
    coalesce(sum(amount_minor) FILTER (cause IN ('adjustment', 'coop_converted', 'offset')), 0)::BIGINT AS adjusted_minor,
    coalesce(-sum(amount_minor) FILTER (cause IN ('paid', 'withheld', 'payment_returned')), 0)::BIGINT AS paid_minor,
    coalesce(-sum(amount_minor) FILTER (cause = 'forfeited'), 0)::BIGINT AS forfeited_minor,
    coalesce(-sum(amount_minor) FILTER (cause = 'escheated'), 0)::BIGINT AS escheated_minor
FROM derived.earnings_ledger WHERE posted_on >= $first GROUP BY ALL
