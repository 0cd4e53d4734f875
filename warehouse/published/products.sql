-- What products are called, as known on the day.
SELECT product_id, product_name, product_family FROM clean.products
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
