-- What is to be paid, by the day on which it is due, less what payments reserve, on the day of their cycle.
-- A payment that was published before is put back as it was and taken out as it is.
SELECT
    partner_id, program, earning_type, currency, program_currency, due_on, sum(entries)::BIGINT AS row_count,
    sum(amount_minor)::BIGINT AS upcoming_minor, sum(program_amount_minor)::BIGINT AS program_upcoming_minor
FROM (
    SELECT
        partner_id, program, earning_type, currency, program_currency, due_on, amount_minor, program_amount_minor, 1 AS entries
    FROM due_entries WHERE posted_on >= $first
    UNION ALL
    SELECT
        partner_id, program, earning_type, currency, program_currency,
        CASE earning_type WHEN 'rebate' THEN cycle_on END, side * payment_minor,
        side * program_payment_minor, 0
    FROM (
        SELECT *, -1 AS side FROM derived.payments WHERE known_from >= $first AND known_to IS NULL
        UNION ALL
        SELECT *, 1 AS side FROM derived.payments WHERE known_from < $first AND known_to >= $first
    ) WHERE payment_status NOT IN (SELECT payment_status FROM freed_statuses)
) GROUP BY ALL
