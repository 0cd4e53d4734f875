-- What the ledger holds for touched payments.
SELECT payment_id, cause, sum(amount_minor)::BIGINT AS amount_minor, sum(program_amount_minor)::BIGINT AS program_amount_minor
FROM derived.earnings_ledger SEMI JOIN touched_payments USING (payment_id)
WHERE posted_on >= (SELECT min(cut_on) FROM clean.payout_payments SEMI JOIN touched_payments USING (payment_id))
GROUP BY ALL
