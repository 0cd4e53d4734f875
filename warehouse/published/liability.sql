-- What is owed: opening + earned ± adjusted − paid − forfeited − escheated = closing, month by month.
-- What is withheld for a tax office counts as paid; co-op that becomes rebate, and offsets, as adjusted.
SELECT
    period, program, earning_type, currency, count(*) AS row_count,
    coalesce(sum(amount_minor) FILTER (lever <> 'settlement' AND cause <> 'adjustment'), 0)::BIGINT AS earned_minor,
    coalesce(sum(amount_minor) FILTER (cause IN ('adjustment', 'coop_converted', 'offset')), 0)::BIGINT AS adjusted_minor,
    coalesce(-sum(amount_minor) FILTER (cause IN ('paid', 'withheld', 'payment_returned')), 0)::BIGINT AS paid_minor,
    coalesce(-sum(amount_minor) FILTER (cause = 'forfeited'), 0)::BIGINT AS forfeited_minor,
    coalesce(-sum(amount_minor) FILTER (cause = 'escheated'), 0)::BIGINT AS escheated_minor
FROM derived.earnings_ledger WHERE posted_on >= $first GROUP BY ALL
