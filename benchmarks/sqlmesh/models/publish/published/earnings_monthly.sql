MODEL (
  name published.main.earnings_monthly,
  kind VIEW
);

SELECT earning_month, program, lever, partner_id, product_id, customer_id, currency, program_currency,
    sum(line_count)::BIGINT AS line_count, sum(earning) AS earning, sum(rebate) AS rebate, sum(earning) - sum(rebate) AS coop,
    sum(program_earning) AS program_earning, sum(program_rebate) AS program_rebate, sum(program_earning) - sum(program_rebate) AS program_coop
FROM (FROM @released(earnings_monthly) UNION ALL BY NAME FROM published.added.earnings_monthly) GROUP BY ALL
