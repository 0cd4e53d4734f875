-- Billing lines; each with the delivery, file and line that it came from.
SELECT * FROM clean.transactions WHERE NOT is_withdrawn AND known_from <= $as_of
