-- Lines of all partners on customers whose holder may be another one now.
FROM lines_at('rival_bucket', 'rival_bucket_sold', 'now', 'associations_now', 'now', 'standing')
