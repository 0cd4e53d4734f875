-- What is due of each balance by the cycle's day and not reserved by a payment, rebate alone: co-op is paid by claims.
-- What a settlement takes away counts as soon as what it takes from is due.
WITH due AS (
    SELECT partner_id, entry.program, earning_type, currency, program_currency, amount_minor, program_amount_minor
    FROM derived.earnings_ledger AS entry
    JOIN payment_calendar AS earned ON earned.program = entry.program AND earned.month = entry.earning_month
    JOIN payment_calendar AS posted ON posted.program = entry.program AND posted.month = date_trunc('month', posted_on)
    WHERE earning_type = 'rebate' AND cause NOT IN ('paid', 'withheld', 'payment_returned') AND posted_on <= $as_of
        AND earned.earned_due_on <= getvariable('cycle_on')
        AND (posted.posted_due_on <= getvariable('cycle_on') OR (lever = 'settlement' AND amount_minor < 0))
    UNION ALL BY NAME
    SELECT partner_id, program, earning_type, currency, program_currency, -payment_minor AS amount_minor,
        -program_payment_minor AS program_amount_minor
    FROM payments_reserved WHERE earning_type = 'rebate'
)
SELECT
    partner_id, program, earning_type, currency, program_currency, sum(amount_minor)::BIGINT AS due_minor,
    sum(program_amount_minor)::BIGINT AS program_due_minor
FROM due GROUP BY ALL HAVING sum(amount_minor) <> 0 OR sum(program_amount_minor) <> 0
