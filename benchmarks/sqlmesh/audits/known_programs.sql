AUDIT (name known_programs, dialect duckdb, standalone true);
-- Programs of enrolments, users and invoices are known.
SELECT program FROM (
    SELECT program FROM clean.enrolments UNION ALL SELECT program FROM clean.users
    UNION ALL SELECT program FROM clean.tax_invoices
) ANTI JOIN working.rules USING (program) WHERE program <> '*'
