-- Each criterion over all days, with its evidence.
SELECT * FROM derived.eligibility_criteria
