-- What is owed: opening + earned ± adjusted − paid − forfeited − escheated = closing, month by month.
SELECT
    period, program, earning_type, currency, count(*) AS row_count,
    coalesce(sum(amount_minor) FILTER (cause <> 'adjustment'), 0)::BIGINT AS earned_minor,
    coalesce(sum(amount_minor) FILTER (cause = 'adjustment'), 0)::BIGINT AS adjusted_minor,
    0::BIGINT AS paid_minor, 0::BIGINT AS forfeited_minor, 0::BIGINT AS escheated_minor
FROM derived.earnings_ledger WHERE posted_on >= $first GROUP BY ALL
