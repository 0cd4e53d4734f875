-- The verdict on each partner in each program on the day.
SELECT program, partner_id,
    CASE count(*) FILTER (status = 'unmet') WHEN 0 THEN 'eligible' WHEN 1 THEN 'almost_eligible' ELSE 'ineligible' END AS eligibility,
    string_agg(reason_code, ',' ORDER BY criterion_number) AS reason_codes,
    CASE WHEN count(*) FILTER (status = 'unmet') = 0 THEN date_trunc('month', max(since))::DATE END AS earns_from
FROM {{ ref('criteria') }} GROUP BY program, partner_id
