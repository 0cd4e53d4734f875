-- How far the scopes of the cells that lines are only added to were filled.
SELECT program, partner_id, cell_from, lever, rule_part, cap_number, scope, measure, under_cap_minor, is_waiting, last_at
FROM derived.positions SEMI JOIN (FROM bucket_lines WHERE is_append) USING (program, partner_id, cell_from)
WHERE cell_from >= (SELECT min(cell_from) FROM bucket_lines)
