-- Payments in the bank's hands, to locations that are set up.
SELECT
    payment_id AS key, payment_id, partner_id, partner_name, program, program_title, earning_type, currency, payment, withheld,
    sales_tax, payout, payout_currency, status_on
FROM payments JOIN partners USING (partner_id) JOIN (SELECT DISTINCT program, program_title FROM programs) USING (program)
WHERE payment_status IN ('sent', 'settled') AND status_on >= $since
    AND partner_id IN (SELECT partner_id FROM users WHERE set_up_on IS NOT NULL)
