MODEL (
  name published.added.earnings_ledger,
  kind CUSTOM (materialization 'parquet'),
  description 'One posted difference of one line''s rebate or co-op; their sum is what is owed.',
  audits (
    not_null(columns := (entry_id, posted_on, period, program, lever, bracket, partner_id, earning_type, earning_month,
        currency, amount, program_currency, program_amount, cause)),
    unique_values(columns := (entry_id)),
    accepted_values(column := earning_type, is_in := ('rebate', 'coop')),
    accepted_values(column := cause, is_in := ('new_line', 'late_line', 'corrected_line', 'withdrawn_line', 'refund',
        'reference_change', 'fx_correction', 'eligibility_gained', 'eligibility_lost', 'rule_change',
        'bracket_rise', 'bracket_fall', 'minimum_reached', 'minimum_lost', 'growth_gained', 'growth_lost',
        'customer_won', 'customer_lost', 'stack_change', 'cap_reached', 'cap_freed', 'split_change', 'adjustment',
        'coop_converted', 'forfeited', 'escheated', 'offset', 'withheld', 'paid', 'payment_returned',
        'recalculation'))
  )
);

SELECT entry_id, posted_on, period, transaction_id, adjustment_id, program, lever, bracket, partner_id, earning_type,
    earning_month, currency, @amount(amount_minor) AS amount, program_currency,
    @amount(program_amount_minor, 2) AS program_amount, rate, fx_month, fx_rate, rule_version, cause, cause_detail
FROM derived.earnings_ledger JOIN meta.currencies USING (currency) WHERE posted_on = @end_date
