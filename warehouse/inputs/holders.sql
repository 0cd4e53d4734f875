-- Who holds the customers of the lines to work out, as of this run.
SELECT program, lever, scope, partner_id FROM holders_now
WHERE split_part(scope, '|', 1) IN (SELECT customer_id FROM bucket_lines_sold)
