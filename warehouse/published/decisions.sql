-- Decisions, one a line and program.
SELECT * FROM derived.decisions
