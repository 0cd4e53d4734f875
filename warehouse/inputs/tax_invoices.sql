-- Tax invoices that no payment has used up.
SELECT partner_id, program, invoice_number, invoiced_on, invoice_status FROM clean.tax_invoices
ANTI JOIN payments_reserved USING (partner_id, program, invoice_number)
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
