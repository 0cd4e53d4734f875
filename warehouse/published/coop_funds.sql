-- What moved each co-op fund, entries and claims; a claim that was published before is put back as it was and taken as it is.
SELECT
    partner_id, program, half_from, currency, sum(entries)::BIGINT AS row_count, sum(accrued)::BIGINT AS accrued_minor,
    sum(adjusted)::BIGINT AS adjusted_minor, sum(converted)::BIGINT AS converted_minor, sum(claimed)::BIGINT AS claimed_minor,
    sum(pending)::BIGINT AS pending_minor, sum(forfeited)::BIGINT AS forfeited_minor
FROM (
    SELECT
        partner_id, entry.program, half_from, currency, 1 AS entries,
        CASE WHEN cause NOT IN ('adjustment', 'coop_converted', 'forfeited') THEN amount_minor ELSE 0 END AS accrued,
        CASE cause WHEN 'adjustment' THEN amount_minor ELSE 0 END AS adjusted,
        CASE cause WHEN 'coop_converted' THEN -amount_minor ELSE 0 END AS converted,
        CASE cause WHEN 'forfeited' THEN -amount_minor ELSE 0 END AS forfeited, 0 AS claimed, 0 AS pending
    FROM derived.earnings_ledger AS entry
    JOIN coop_halves ON coop_halves.program = entry.program AND earning_month >= half_from AND earning_month < half_to
    WHERE earning_type = 'coop' AND cause NOT IN ('paid', 'withheld', 'payment_returned') AND posted_on >= $first
    UNION ALL BY NAME
    SELECT
        partner_id, program, half_from, currency, 0 AS entries, 0 AS accrued, 0 AS adjusted, 0 AS converted, 0 AS forfeited,
        side * coalesce(approved_minor, 0) AS claimed, side * (claimed_minor - coalesce(approved_minor, 0)) AS pending
    FROM (
        SELECT *, 1 AS side FROM derived.coop_claims WHERE known_from >= $first AND known_to IS NULL
        UNION ALL
        SELECT *, -1 AS side FROM derived.coop_claims WHERE known_from < $first AND known_to >= $first
    )
) GROUP BY ALL
