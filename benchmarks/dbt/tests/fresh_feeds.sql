-- No feed is more than seven days old.
{{ config(severity='warn') }}
SELECT feed, date_diff('day', max(business_date), {{ day() }}) AS age_days FROM {{ source('clean', 'deliveries') }}
WHERE delivery_status = 'accepted' AND business_date <= {{ day() }} AND feed NOT IN ('fx_rates', 'products')
GROUP BY feed HAVING age_days > 7
