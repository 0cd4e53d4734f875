-- Each line to work out × each program that may pay for it, as all is known now.
FROM lines_at('bucket_lines', 'bucket_lines_sold', 'now', 'associations_now', 'now', 'standing')
