SELECT
    summed.*, earning - rebate AS coop, program_earning - program_rebate AS program_coop,
    coalesce(rule.is_illustrative, false) AS is_illustrative
FROM (
    SELECT
        earning_month, program, lever, partner_id, product_id, customer_id, currency, program_currency,
        sum(row_count) AS row_count, sum(line_count) AS line_count, sum(earning) AS earning, sum(rebate) AS rebate,
        sum(program_earning) AS program_earning, sum(program_rebate) AS program_rebate
    FROM $parts GROUP BY ALL
) AS summed LEFT JOIN programs AS rule ON rule.program = summed.program AND rule.lever = summed.lever
