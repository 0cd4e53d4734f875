-- Levers of active programs with the figures in force on the day.
SELECT * FROM program_levers
