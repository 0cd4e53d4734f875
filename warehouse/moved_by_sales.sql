-- Partners whose standing the lines of the cut may move: `sellers` whom a first sale invites, and those without a
-- criterion that was met before their first such line and stays so. Trailing revenue looks back only, so later lines leave
-- that criterion as it is. An exchange rate moves the revenue of all who sold in its currency and month.
WITH lasting AS (
    SELECT program, partner_id, criterion, count(DISTINCT criterion_number) AS held, max(valid_from) AS since
    FROM derived.eligibility_criteria SEMI JOIN sellers USING (partner_id)
    WHERE known_to IS NULL AND status = 'met' AND valid_to IS NULL
    GROUP BY ALL
), judged AS (
    SELECT sellers.partner_id, first_on, rule.*
    FROM sellers CROSS JOIN program_sales AS rule WHERE list_contains(rule.partner_types, partner_type)
)
SELECT partner_id FROM judged LEFT JOIN lasting USING (program, partner_id, criterion)
WHERE NOT is_lasting OR coalesce(held, 0) < listed OR since >= first_on
UNION ALL
SELECT partner_id FROM sellers JOIN program_invitations AS rule ON list_contains(rule.partner_types, partner_type)
ANTI JOIN derived.invitations USING (program, partner_id) WHERE invite_on = 'first_transaction'
UNION ALL
SELECT unnest([seller_id, reseller_id]) FROM clean.transactions SEMI JOIN (
    SELECT from_currency AS currency, fx_month FROM clean.fx_rates
    WHERE EXISTS (FROM program_sales) AND delivery_id IN (SELECT delivery_id FROM cut) AND known_from >= getvariable('cut_from')
) AS rate ON rate.currency = transactions.currency AND rate.fx_month = date_trunc('month', transaction_on)
