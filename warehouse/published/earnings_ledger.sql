-- Every entry ever posted.
SELECT * FROM derived.earnings_ledger WHERE posted_on >= $first
