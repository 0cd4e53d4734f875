-- What each feed brought for the day settled, or how old the data is that the day was settled with.
SELECT
    feeds.feed, latest.business_date, date_diff('day', latest.business_date, $as_of) AS age_days,
    coalesce(rows_read, 0) AS rows_read, coalesce(rows_accepted, 0) AS rows_accepted,
    coalesce(rows_duplicate, 0) AS rows_duplicate, coalesce(rows_quarantined, 0) AS rows_quarantined,
    CASE WHEN latest.business_date IS NULL THEN 'missing' ELSE 'accepted' END AS delivery_status,
    CASE
        WHEN latest.business_date IS NULL THEN 'never delivered'
        WHEN latest.business_date < $as_of THEN 'last known data, of ' || latest.business_date
        WHEN rows_quarantined > 0 THEN rows_quarantined || ' rows set aside: incentives quarantine list'
    END AS message
FROM feeds
LEFT JOIN (
    SELECT feed, max(business_date) AS business_date FROM clean.deliveries
    WHERE delivery_status = 'accepted' AND business_date <= $as_of GROUP BY feed
) AS latest USING (feed)
LEFT JOIN (
    SELECT feed, business_date, sum(rows_read)::BIGINT AS rows_read, sum(rows_accepted)::BIGINT AS rows_accepted,
        sum(rows_duplicate)::BIGINT AS rows_duplicate, sum(rows_quarantined)::BIGINT AS rows_quarantined
    FROM clean.deliveries WHERE delivery_status = 'accepted' GROUP BY ALL
) AS counts ON counts.feed = feeds.feed AND counts.business_date = latest.business_date
