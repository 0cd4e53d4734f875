-- Why lines whose partner's standing moved earned nothing before.
SELECT transaction_id, program, reason_codes FROM derived.decisions
SEMI JOIN (FROM bucket_lines WHERE is_known AND at_eligibility) USING (transaction_id, program)
WHERE known_from >= getvariable('worked_since') AND known_to IS NULL AND reason_codes IS NOT NULL
