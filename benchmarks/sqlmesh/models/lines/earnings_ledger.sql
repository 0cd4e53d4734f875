MODEL (
  name derived.earnings_ledger,
  kind INCREMENTAL_BY_TIME_RANGE (time_column posted_on),
  description 'One posted difference: of one line''s rebate or co-op, of an adjustment, a fund or a payment.',
  audits (
    not_null(columns := (entry_id, run_id, posted_on, period, program, lever, bracket, partner_id, earning_type,
        earning_month, currency, amount_minor, program_currency, program_amount_minor, cause)),
    unique_values(columns := (entry_id)),
    accepted_values(column := earning_type, is_in := ('rebate', 'coop')),
    accepted_values(column := cause, is_in := ('new_line', 'late_line', 'corrected_line', 'withdrawn_line', 'refund',
        'reference_change', 'fx_correction', 'eligibility_gained', 'eligibility_lost', 'rule_change',
        'bracket_rise', 'bracket_fall', 'minimum_reached', 'minimum_lost', 'growth_gained', 'growth_lost',
        'customer_won', 'customer_lost', 'stack_change', 'cap_reached', 'cap_freed', 'split_change', 'adjustment',
        'coop_converted', 'forfeited', 'escheated', 'offset', 'withheld', 'paid', 'payment_returned',
        'recalculation')),
    line_entry,
    open_period,
    reconciled_ledger
  )
);

SELECT uuid()::VARCHAR AS entry_id, @end_ds AS run_id, @end_date AS posted_on,
    date_trunc('month', @end_date)::DATE AS period, transaction_id, NULL::VARCHAR AS adjustment_id,
    NULL::VARCHAR AS payment_id, program, lever, bracket, partner_id, earning_type, earning_month, currency,
    CASE earning_type WHEN 'rebate' THEN rebate_minor ELSE coop_minor END AS amount_minor, program_currency,
    CASE earning_type WHEN 'rebate' THEN program_rebate_minor ELSE program_coop_minor END AS program_amount_minor,
    rate, fx_month, fx_rate, rule_version, 'new_line' AS cause, NULL::VARCHAR AS cause_detail
FROM derived.earnings, (SELECT unnest(['rebate', 'coop']) AS earning_type)
WHERE known_from = @end_date AND (amount_minor <> 0 OR program_amount_minor <> 0);

AUDIT (name line_entry);
SELECT * FROM @this_model WHERE NOT (CASE lever WHEN 'settlement' THEN transaction_id IS NULL AND adjustment_id IS NULL AND cause IN ('coop_converted', 'forfeited', 'escheated', 'offset', 'withheld', 'paid', 'payment_returned') AND (payment_id IS NOT NULL OR cause NOT IN ('withheld', 'paid', 'payment_returned')) WHEN 'adjustment' THEN transaction_id IS NULL AND adjustment_id IS NOT NULL ELSE transaction_id IS NOT NULL AND adjustment_id IS NULL AND fx_rate IS NOT NULL AND rule_version IS NOT NULL END);

AUDIT (name open_period);
SELECT * FROM @this_model WHERE NOT (period >= date_trunc('month', posted_on));

AUDIT (name reconciled_ledger);
-- The ledger equals what the day's lines should have earned.
SELECT transaction_id, program, lever, bracket, partner_id, earning_type, earning_month, currency, program_currency FROM (
    SELECT transaction_id, program, lever, bracket, partner_id, earning_type, earning_month, currency, program_currency,
        amount_minor, program_amount_minor
    FROM @this_model WHERE transaction_id IS NOT NULL
    UNION ALL
    SELECT transaction_id, program, lever, bracket, partner_id, 'rebate', earning_month, currency, program_currency,
        -rebate_minor, -program_rebate_minor
    FROM derived.earnings WHERE known_from = @end_date
    UNION ALL
    SELECT transaction_id, program, lever, bracket, partner_id, 'coop', earning_month, currency, program_currency,
        -coop_minor, -program_coop_minor
    FROM derived.earnings WHERE known_from = @end_date
) GROUP BY ALL HAVING sum(amount_minor) <> 0 OR sum(program_amount_minor) <> 0
