-- What the ledger holds for the lines to work out that were worked out before, summed over all their entries.
SELECT
    transaction_id, program, lever, bracket, partner_id, earning_type, earning_month, currency, program_currency,
    sum(amount_minor)::BIGINT AS amount_minor, sum(program_amount_minor)::BIGINT AS program_amount_minor,
    arg_max(rate, posted_on) AS rate, arg_max(fx_month, posted_on) AS fx_month, arg_max(fx_rate, posted_on) AS fx_rate,
    arg_max(rule_version, posted_on) AS rule_version
FROM derived.earnings_ledger SEMI JOIN (FROM bucket_lines WHERE is_known) USING (transaction_id, program)
WHERE posted_on >= getvariable('worked_since')
GROUP BY ALL HAVING sum(amount_minor) <> 0 OR sum(program_amount_minor) <> 0
