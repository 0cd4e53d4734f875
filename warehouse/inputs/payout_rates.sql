-- Exchange rates of the month of the payment cycle.
SELECT from_currency, to_currency, fx_rate FROM clean.fx_rates
WHERE fx_month = date_trunc('month', getvariable('cycle_on')) AND known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
    AND NOT is_withdrawn
