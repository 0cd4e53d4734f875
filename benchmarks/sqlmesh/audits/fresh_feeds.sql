AUDIT (name fresh_feeds, dialect duckdb, standalone true);
-- No feed is more than seven days old.
SELECT feed, date_diff('day', max(business_date), @end_date) AS age_days FROM clean.deliveries
WHERE delivery_status = 'accepted' AND business_date <= @end_date AND feed NOT IN ('fx_rates', 'products')
GROUP BY feed HAVING age_days > 7
