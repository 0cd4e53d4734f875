-- Lines that several things moved since they were posted, as they were after each of these but the last: for each
-- stage of transforms/causes.py, with what was known before of all that comes later.
SELECT 'line' AS stage, * FROM lines_at('bucket_of_line', 'before', 'associations_before', 'before', 'standing_before')
UNION ALL SELECT 'reference', * FROM lines_at('bucket_of_reference', 'now', 'associations_under_rules_before', 'before', 'standing_before')
UNION ALL SELECT 'fx', * FROM lines_at('bucket_of_fx', 'now', 'associations_under_rules_before', 'now', 'standing_before')
UNION ALL SELECT 'eligibility', * FROM lines_at('bucket_of_eligibility', 'now', 'associations_under_rules_before', 'now', 'standing_under_rules_before')
UNION ALL SELECT 'rule', * FROM lines_at('bucket_of_rule', 'now', 'associations_now', 'now', 'standing')
