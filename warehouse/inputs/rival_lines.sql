-- Lines of all partners on customers whose holder may be another one now.
FROM lines_at('rival_lines', 'now', 'now', 'standing')
