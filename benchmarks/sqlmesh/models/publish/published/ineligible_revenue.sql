MODEL (
  name published.main.ineligible_revenue,
  kind VIEW
);

SELECT earning_month, program, partner_id, currency, decision, reason_codes, sum(line_count)::BIGINT AS line_count, sum(revenue) AS revenue
FROM (FROM @released(ineligible_revenue) UNION ALL BY NAME FROM published.added.ineligible_revenue) GROUP BY ALL
