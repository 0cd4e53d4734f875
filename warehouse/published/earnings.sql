-- What each line earns.
SELECT * FROM derived.earnings
