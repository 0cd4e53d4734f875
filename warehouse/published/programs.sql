-- Levers of active programs with the figures in force on the day.
SELECT * REPLACE (effective_from::DATE AS effective_from, effective_to::DATE AS effective_to) FROM program_levers
