-- The lines to work out that were worked out before, with the stages at which they moved.
SELECT transaction_id, program, arrival, is_in_cell, at_line, at_reference, at_fx, at_eligibility, at_rule, at_split
FROM bucket_lines WHERE is_known
