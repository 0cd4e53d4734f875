-- Of each balance of a program whose cycle is judged, what is due and not paid, and what was due when held payments began to
-- wait too long; this run's entries and payments among it.
WITH entry AS (
    SELECT due_entries.*, cycle_on, held_since, is_year_end FROM due_entries JOIN judged_cycles USING (program)
    WHERE due_on <= cycle_on
), reserved AS (
    SELECT
        partner_id, program, earning_type, currency, sum(payment_minor) AS amount_minor,
        sum(program_payment_minor) AS program_amount_minor
    FROM (
        FROM (FROM derived.payments WHERE known_to IS NULL) ANTI JOIN staging.derived.payments USING (payment_id)
        UNION ALL BY NAME
        FROM staging.derived.payments
    ) WHERE payment_status NOT IN (SELECT payment_status FROM freed_statuses) GROUP BY ALL
), summed AS (
    SELECT
        partner_id, program, earning_type, currency, program_currency, any_value(cycle_on) AS cycle_on,
        any_value(is_year_end) AS is_year_end, sum(amount_minor) AS due, sum(program_amount_minor) AS program_due,
        coalesce(sum(amount_minor) FILTER (due_on <= held_since), 0) AS held,
        coalesce(sum(program_amount_minor) FILTER (due_on <= held_since), 0) AS program_held,
        max(earning_month) AS due_month,
        coalesce(max(earning_month) FILTER (due_on <= held_since), max(earning_month)) AS held_month
    FROM entry GROUP BY ALL
)
SELECT
    partner_id, program, earning_type, currency, program_currency, cycle_on, is_year_end, due_month, held_month,
    (due - coalesce(amount_minor, 0))::BIGINT AS due_minor,
    (program_due - coalesce(program_amount_minor, 0))::BIGINT AS program_due_minor,
    (held - coalesce(amount_minor, 0))::BIGINT AS held_minor,
    (program_held - coalesce(program_amount_minor, 0))::BIGINT AS program_held_minor
FROM summed LEFT JOIN reserved USING (partner_id, program, earning_type, currency)
WHERE due <> coalesce(amount_minor, 0)
