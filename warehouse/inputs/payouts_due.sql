-- The open requests for a payout for which anything is due by the day that no payment reserves.
WITH asked AS (
    SELECT request_id, partner_id, program FROM clean.partner_requests ANTI JOIN derived.answered_requests USING (request_id)
    WHERE request_kind = 'payout' AND known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
), ledger AS (
    FROM derived.earnings_ledger WHERE partner_id IN (SELECT partner_id FROM asked)
), moved AS (
    SELECT partner_id, program, earning_type, currency, amount_minor FROM due_of('ledger') WHERE due_on <= $as_of
    UNION ALL
    SELECT partner_id, program, earning_type, currency, -payment_minor FROM derived.payments
    WHERE partner_id IN (SELECT partner_id FROM asked) AND known_to IS NULL
        AND payment_status NOT IN (SELECT payment_status FROM freed_statuses)
), due AS (
    SELECT partner_id, program FROM moved GROUP BY partner_id, program, earning_type, currency HAVING sum(amount_minor) > 0
)
SELECT DISTINCT request_id FROM asked JOIN due ON asked.partner_id = due.partner_id AND asked.program IN ('*', due.program)
