-- Manual adjustments that are posted, with their sums in program currency.
SELECT adjustments.*, program_currency, program_amount_minor
FROM derived.adjustments JOIN derived.earnings_ledger AS entry USING (adjustment_id, posted_on)
