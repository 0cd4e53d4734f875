-- The first day of the period that a day lies in, as transforms/periods.py has it.
CREATE OR REPLACE TEMP MACRO fiscal_start(day, months, fiscal_year_start) AS (
    date_trunc('month', day - (fiscal_year_start[4:5]::INT - 1))::DATE
    - to_months((month(day - (fiscal_year_start[4:5]::INT - 1)) + 12 - fiscal_year_start[1:2]::INT) % months)
    + to_days(fiscal_year_start[4:5]::INT - 1)
);
CREATE OR REPLACE TEMP MACRO period_start(day, over, fiscal_year_start) AS (
    CASE over
        WHEN 'month' THEN date_trunc('month', day)::DATE
        WHEN 'quarter' THEN fiscal_start(day, 3, fiscal_year_start)::DATE
        WHEN 'half_year' THEN fiscal_start(day, 6, fiscal_year_start)::DATE
        WHEN 'fiscal_year' THEN fiscal_start(day, 12, fiscal_year_start)::DATE
        ELSE DATE '1900-01-01'
    END
);
