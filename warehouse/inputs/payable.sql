-- What is due of each balance by the cycle's day and not reserved by a payment.
SELECT
    partner_id, program, earning_type, currency, program_currency, sum(amount_minor)::BIGINT AS due_minor,
    sum(program_amount_minor)::BIGINT AS program_due_minor
FROM (
    FROM due_entries WHERE posted_on <= $as_of AND due_on <= getvariable('cycle_on')
    UNION ALL BY NAME
    SELECT
        partner_id, program, earning_type, currency, program_currency, -payment_minor AS amount_minor,
        -program_payment_minor AS program_amount_minor
    FROM payments_reserved WHERE earning_type = 'rebate'
) GROUP BY ALL HAVING sum(amount_minor) <> 0 OR sum(program_amount_minor) <> 0
