-- Manual adjustments that are posted.
SELECT adjustment_id, amount_minor, posted_on FROM derived.adjustments
