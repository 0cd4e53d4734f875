WITH expected AS (
    SELECT
        partner_id, program, earning_type, currency, program_currency,
        CASE WHEN due_on IS NOT NULL THEN greatest(due_on, next_due_on::DATE) END AS expected_on, any_value(minimum) AS minimum,
        sum(row_count) AS row_count, sum(upcoming) AS upcoming, sum(program_upcoming) AS program_upcoming
    FROM $parts LEFT JOIN parts.payment_cycles USING (program)
    GROUP BY ALL HAVING sum(upcoming) <> 0 OR sum(program_upcoming) <> 0
), running AS (
    SELECT *, sum(program_upcoming) OVER (
        PARTITION BY partner_id, program, earning_type ORDER BY expected_on RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS balance
    FROM expected
), judged AS (
    SELECT * EXCLUDE (expected_on), expected_on AS due_on, CASE
        WHEN expected_on IS NULL THEN NULL WHEN balance <= 0 THEN 'PAYNEG' WHEN balance < minimum THEN 'PAYMIN'
        ELSE (SELECT reason_code FROM parts.payee_holds AS held WHERE held.partner_id = running.partner_id AND held.program = running.program)
    END AS reason_code
    FROM running
)
SELECT judged.*, reason, what_to_do FROM judged LEFT JOIN parts.reasons USING (reason_code)
