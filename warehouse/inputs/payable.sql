-- What is due of each balance by the cycle's day and not reserved by a payment; of co-op, what claims are approved for.
WITH approved AS (
    SELECT partner_id, program, half_from, currency, sum(approved_minor) AS approved FROM derived.coop_claims
    WHERE known_to IS NULL AND approved_minor IS NOT NULL GROUP BY ALL
), fund AS (
    SELECT approved.*, program_currency, sum(amount_minor) AS balance, sum(program_amount_minor) AS program_balance
    FROM approved JOIN coop_halves USING (program, half_from) JOIN derived.earnings_ledger AS entry
        ON entry.partner_id = approved.partner_id AND entry.program = approved.program AND entry.currency = approved.currency
        AND earning_month >= half_from AND earning_month < half_to
    WHERE earning_type = 'coop' AND cause NOT IN ('paid', 'withheld', 'payment_returned') AND posted_on <= $as_of GROUP BY ALL
)
SELECT
    partner_id, program, earning_type, currency, program_currency, sum(amount_minor)::BIGINT AS due_minor,
    sum(program_amount_minor)::BIGINT AS program_due_minor
FROM (
    FROM due_entries WHERE posted_on <= $as_of AND due_on <= getvariable('cycle_on')
    UNION ALL BY NAME
    SELECT
        partner_id, program, 'coop' AS earning_type, currency, program_currency, least(approved, balance)::BIGINT AS amount_minor,
        (least(approved, balance) * program_balance // balance)::BIGINT AS program_amount_minor
    FROM fund WHERE balance > 0
    UNION ALL BY NAME
    SELECT
        partner_id, program, earning_type, currency, program_currency, -payment_minor AS amount_minor,
        -program_payment_minor AS program_amount_minor
    FROM payments_reserved
) GROUP BY ALL HAVING sum(amount_minor) <> 0
