-- Taxes on payments, by country and time.
SELECT country, tax_kind, tax_rate, valid_from, valid_to FROM clean.tax_rates
WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
