-- What customers are called, as known on the day.
SELECT customer_id, customer_name FROM clean.customers
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
