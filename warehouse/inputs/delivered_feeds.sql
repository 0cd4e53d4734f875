-- Feeds that have come at least once.
SELECT DISTINCT feed FROM clean.deliveries WHERE delivery_status = 'accepted' AND business_date <= $as_of
