-- Revenue that earns nothing; a line counts once a program, whatever number of reasons it has.
SELECT
    earning_month, program, partner_id, currency, decision, reason_codes,
    EXISTS (
        SELECT 1 FROM reasons WHERE partner_can_act AND list_contains(string_split(any_value(decisions.reason_codes), ','), reason_code)
    ) AS partner_can_act,
    count(*) AS line_count, sum(revenue_minor)::BIGINT AS revenue_minor
FROM derived.decisions WHERE known_to IS NULL AND decision <> 'eligible'
GROUP BY earning_month, program, partner_id, currency, decision, reason_codes
