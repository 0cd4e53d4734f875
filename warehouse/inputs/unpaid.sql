-- Of each balance of a program whose cycle is judged, what is due and not paid, and what was due when held payments began to
-- wait too long and has been since; this run's entries and payments among it. What a payment carried waits from its return.
-- Beside it what the cycle pays the payee, in all currencies.
WITH entry AS (
    SELECT due_entries.*, cycle_on, held_since, is_year_end FROM due_entries JOIN judged_cycles USING (program)
    WHERE due_on <= cycle_on
), reserved AS (
    SELECT
        partner_id, program, earning_type, currency,
        coalesce(sum(payment_minor) FILTER (is_under_way), 0) AS paid,
        coalesce(sum(program_payment_minor) FILTER (is_under_way), 0) AS program_paid,
        sum(payment_minor) AS paid_since, sum(program_payment_minor) AS program_paid_since,
        sum(program_payment_minor) FILTER (is_under_way AND payment.cycle_on >= judged_cycles.cycle_on) AS program_cycle
    FROM (
        SELECT *, payment_status NOT IN (SELECT payment_status FROM freed_statuses) AS is_under_way
        FROM (
            FROM (FROM derived.payments WHERE known_to IS NULL) ANTI JOIN staging.derived.payments USING (payment_id)
            UNION ALL BY NAME
            FROM staging.derived.payments
        )
    ) AS payment JOIN judged_cycles USING (program) WHERE is_under_way OR status_on > held_since GROUP BY ALL
), of_cycle AS (
    SELECT partner_id, program, earning_type, sum(program_cycle) AS program_cycle FROM reserved GROUP BY ALL
), summed AS (
    SELECT
        partner_id, program, earning_type, currency, program_currency, any_value(cycle_on) AS cycle_on,
        any_value(held_since) AS held_since, any_value(is_year_end) AS is_year_end,
        sum(amount_minor) AS due, sum(program_amount_minor) AS program_due,
        coalesce(sum(amount_minor) FILTER (due_on <= held_since), 0) AS held,
        coalesce(sum(program_amount_minor) FILTER (due_on <= held_since), 0) AS program_held,
        max(earning_month) AS due_month,
        coalesce(max(earning_month) FILTER (due_on <= held_since), max(earning_month)) AS held_month
    FROM entry GROUP BY ALL
)
SELECT
    partner_id, program, earning_type, currency, program_currency, cycle_on, held_since, is_year_end, due_month, held_month,
    (due - coalesce(paid, 0))::BIGINT AS due_minor,
    (program_due - coalesce(program_paid, 0))::BIGINT AS program_due_minor,
    (held - coalesce(paid_since, 0))::BIGINT AS held_minor,
    (program_held - coalesce(program_paid_since, 0))::BIGINT AS program_held_minor,
    coalesce(of_cycle.program_cycle, 0)::BIGINT AS program_cycle_minor
FROM summed LEFT JOIN reserved USING (partner_id, program, earning_type, currency)
LEFT JOIN of_cycle USING (partner_id, program, earning_type)
WHERE due <> coalesce(paid, 0)
