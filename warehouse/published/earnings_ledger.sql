-- Every entry ever posted.
SELECT * FROM derived.earnings_ledger
