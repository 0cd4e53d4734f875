-- Co-op funds of half years that have ended: what is accrued, converted, forfeited and claimed; this run's entries among it.
WITH half AS (FROM coop_halves WHERE half_to <= $as_of),
entry AS (
    SELECT entry.*, half_from FROM (FROM derived.earnings_ledger UNION ALL BY NAME FROM staging.derived.earnings_ledger) AS entry
    JOIN half ON half.program = entry.program AND earning_month >= half_from AND earning_month < half_to
    WHERE earning_type = 'coop' AND cause NOT IN ('paid', 'withheld', 'payment_returned')
), fund AS (
    SELECT
        partner_id, program, half_from, currency, program_currency,
        sum(amount_minor) FILTER (cause NOT IN ('coop_converted', 'forfeited')) AS accrued,
        sum(program_amount_minor) FILTER (cause NOT IN ('coop_converted', 'forfeited')) AS program_accrued,
        sum(amount_minor) FILTER (cause = 'coop_converted') AS converted,
        sum(program_amount_minor) FILTER (cause = 'coop_converted') AS program_converted,
        sum(amount_minor) FILTER (cause = 'forfeited') AS forfeited,
        sum(program_amount_minor) FILTER (cause = 'forfeited') AS program_forfeited
    FROM entry GROUP BY ALL
)
SELECT
    partner_id, program, half_from, currency, program_currency, coalesce(accrued, 0)::BIGINT AS accrued_minor,
    coalesce(program_accrued, 0)::BIGINT AS program_accrued_minor, coalesce(converted, 0)::BIGINT AS converted_minor,
    coalesce(program_converted, 0)::BIGINT AS program_converted_minor, coalesce(forfeited, 0)::BIGINT AS forfeited_minor,
    coalesce(program_forfeited, 0)::BIGINT AS program_forfeited_minor, coalesce(claimed_minor, 0)::BIGINT AS claimed_minor,
    CASE WHEN accrued > 0 THEN coalesce(claimed_minor, 0)::HUGEINT * program_accrued // accrued ELSE 0 END::BIGINT AS program_claimed_minor
FROM fund LEFT JOIN (
    SELECT partner_id, program, half_from, currency, sum(claimed_minor) AS claimed_minor FROM claims_standing GROUP BY ALL
) USING (partner_id, program, half_from, currency)
