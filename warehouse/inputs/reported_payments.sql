-- Touched payments, what was decided on their batches, and the last that the bank said of each, as known on the day.
WITH said AS (
    SELECT *, list_position(['sent', 'accepted', 'settled', 'rejected', 'returned'], reported_status) AS place
    FROM clean.bank_messages SEMI JOIN touched_payments USING (payment_id)
    WHERE reported_status <> 'duplicate' AND known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
), bank AS (
    SELECT
        payment_id, arg_max(reported_status, (place, message_id)) AS reported_status,
        arg_max_null(bank_reason, (place, bank_reason IS NOT NULL, message_id)) AS bank_reason,
        arg_max(reported_at, (place, message_id))::DATE AS reported_on
    FROM said GROUP BY payment_id
)
SELECT
    payment_id, batch_id, cycle_on, cut_on, partner_id, program, earning_type, currency, payment_minor, program_currency,
    program_payment_minor, withheld_minor, sales_tax_minor, payout_currency, fx_rate, payout_minor, invoice_number,
    request_id, approval, decided_on, reported_status, bank_reason, reported_on
FROM clean.payout_payments SEMI JOIN touched_payments USING (payment_id)
LEFT JOIN (
    SELECT batch_id, approval, decided_at::DATE AS decided_on FROM clean.payout_approvals
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
) USING (batch_id)
LEFT JOIN bank USING (payment_id)
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
ORDER BY payment_id
