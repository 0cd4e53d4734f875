SELECT
    *, EXISTS (
        SELECT 1 FROM parts.reasons WHERE partner_can_act AND list_contains(string_split(summed.reason_codes, ','), reason_code)
    ) AS partner_can_act
FROM (
    SELECT
        earning_month, program, partner_id, currency, decision, reason_codes,
        sum(row_count) AS row_count, sum(line_count) AS line_count, sum(revenue) AS revenue
    FROM $parts GROUP BY ALL
) AS summed
