-- What lines of cells that were worked out before should have earned until now.
SELECT transaction_id, program, lever, bracket, position, baseline, held_by, program_earning_minor
FROM derived.earnings SEMI JOIN (FROM bucket_lines WHERE is_known AND is_in_cell) USING (transaction_id, program)
WHERE known_from >= getvariable('worked_since') AND known_to IS NULL
