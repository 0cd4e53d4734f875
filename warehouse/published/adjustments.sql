-- Manual adjustments so far.
SELECT * FROM derived.adjustments
