-- What each partner has earned in each month, what became of it apart, this run's entries among it.
SELECT program, partner_id, earning_month, currency, sum(amount_minor)::BIGINT AS amount_minor
FROM (FROM derived.earnings_ledger UNION ALL BY NAME FROM staging.derived.earnings_ledger)
WHERE lever <> 'settlement' GROUP BY ALL
