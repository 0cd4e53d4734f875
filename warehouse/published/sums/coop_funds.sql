SELECT
    fund.*, accrued + adjusted - converted - claimed - forfeited AS open, half_to, usage_to, claims_from, claims_to, fund_stage
FROM (
    SELECT
        partner_id, program, half_from, currency, sum(row_count) AS row_count, sum(accrued) AS accrued, sum(adjusted) AS adjusted,
        sum(converted) AS converted, sum(claimed) AS claimed, sum(pending) AS pending, sum(forfeited) AS forfeited
    FROM $parts GROUP BY ALL
) AS fund JOIN parts.coop_halves USING (program, half_from)
