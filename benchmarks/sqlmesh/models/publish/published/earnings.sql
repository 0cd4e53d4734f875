MODEL (
  name published.main.earnings,
  kind VIEW,
  depends_on (derived.earnings),
  audits (published_counted)
);

FROM @released(earnings) UNION ALL BY NAME FROM published.added.earnings;

AUDIT (name published_counted);
-- With what is added, a release has as many rows in force as the warehouse.
SELECT 1 WHERE (SELECT count(*) FROM @this_model WHERE known_to IS NULL)
    <> (SELECT count(*) FROM derived.earnings WHERE known_to IS NULL)
