-- What all sides must agree on, to the cent: name and figure.
SELECT 'transactions ' || currency AS name, count(*) || ' ' || sum(revenue) AS figure FROM transactions GROUP BY currency
UNION ALL SELECT concat_ws(' ', 'decisions', program, decision, list_sort(string_split(reason_codes, ','))), count(*) || ' ' || sum(revenue) FROM decisions
    GROUP BY program, decision, list_sort(string_split(reason_codes, ','))
UNION ALL SELECT concat_ws(' ', 'earnings', program, lever, currency), count(*) || ' ' || sum(base) || ' ' || sum(earning)
    || ' ' || sum(rebate) || ' ' || sum(coop) || ' ' || sum(program_earning) || ' ' || sum(program_rebate) FROM earnings GROUP BY program, lever, currency
UNION ALL SELECT concat_ws(' ', 'refunds', program, lever, currency), count(*) || ' ' || sum(base) || ' ' || sum(earning) || ' ' || sum(program_earning)
    FROM earnings SEMI JOIN (FROM transactions WHERE reverses IS NOT NULL) USING (transaction_id) GROUP BY program, lever, currency
UNION ALL SELECT concat_ws(' ', 'earnings_ledger', program, lever, currency, earning_type, posted_on), count(*) || ' ' || sum(amount)
    || ' ' || sum(program_amount) FROM earnings_ledger GROUP BY program, lever, currency, earning_type, posted_on
UNION ALL SELECT concat_ws(' ', 'earnings_monthly', earning_month, program, lever, currency), count(*) || ' ' || sum(line_count) || ' '
    || sum(earning) || ' ' || sum(program_rebate) || ' ' || sum(program_coop) FROM earnings_monthly GROUP BY earning_month, program, lever, currency
UNION ALL SELECT 'ineligible_revenue ' || earning_month, count(DISTINCT (program, partner_id, currency, decision, list_sort(string_split(reason_codes, ','))))
    || ' ' || sum(revenue) FROM ineligible_revenue GROUP BY earning_month
UNION ALL SELECT concat_ws(' ', 'eligibility_criteria', program, criterion, status, reason_code), count(*) || ' '
    || sum(hash(partner_id, evidence)) FROM eligibility_criteria GROUP BY program, criterion, status, reason_code
UNION ALL SELECT concat_ws(' ', 'eligibility_status', program, eligibility, reason_codes), count(*) || ' '
    || sum(hash(partner_id, CASE WHEN eligibility = 'eligible' THEN earns_from END)) FROM eligibility_status GROUP BY program, eligibility, reason_codes
UNION ALL SELECT concat_ws(' ', 'liability', period, program, earning_type, currency), earned || ' ' || closing FROM liability
UNION ALL SELECT 'invitations', count(*) || ' ' || sum(hash(partner_id, transaction_id, invited_on)) FROM invitations
UNION ALL SELECT 'partners', count(*) || ' ' || sum(hash(partner_id, reseller_status)) FROM partners
ORDER BY name
