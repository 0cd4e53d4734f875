MODEL (
  name published.added.earnings,
  kind CUSTOM (materialization 'parquet'),
  description 'What one line earns in one bracket of one lever.',
  audits (
    not_null(columns := (transaction_id, program, lever, bracket, partner_id, earning_month, position, is_illustrative,
        base, currency, earning, rebate, coop, fx_month, fx_rate, program_currency, program_earning, program_rebate,
        program_coop, rule_version, known_from)),
    accepted_values(column := held_by, is_in := ('exclusive_partner', 'one_earning', 'baseline', 'minimum', 'stack',
        'cap')),
    unique_combination_of_columns(columns := (transaction_id, program, lever, bracket))
  )
);

SELECT transaction_id, program, lever, bracket, partner_id, earning_month, rate, unit_amount, position, held_by,
    is_illustrative, @amount(base_minor) AS base, currency, @amount(earning_minor) AS earning,
    @amount(rebate_minor) AS rebate, @amount(coop_minor) AS coop, fx_month, fx_rate, program_currency,
    @amount(program_earning_minor, 2) AS program_earning, @amount(program_rebate_minor, 2) AS program_rebate,
    @amount(program_coop_minor, 2) AS program_coop, rule_version, known_from
FROM derived.earnings JOIN meta.currencies USING (currency) WHERE known_from = @end_date
