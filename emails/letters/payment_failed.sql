-- Payments that the bank rejected or sent back, to locations that are set up.
SELECT
    concat_ws(':', payment_id, payment_status) AS key, payment_id, partner_id, partner_name, program, program_title, payout,
    payout_currency, payment_status, bank_reason
FROM payments JOIN partners USING (partner_id) JOIN (SELECT DISTINCT program, program_title FROM programs) USING (program)
WHERE payment_status IN ('rejected', 'reversed') AND status_on >= $since
    AND partner_id IN (SELECT partner_id FROM users WHERE set_up_on IS NOT NULL)
