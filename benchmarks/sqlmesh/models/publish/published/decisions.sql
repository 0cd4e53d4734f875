MODEL (
  name published.main.decisions,
  kind VIEW,
  depends_on (derived.decisions),
  audits (published_counted)
);

FROM @released(decisions) UNION ALL BY NAME FROM published.added.decisions;

AUDIT (name published_counted);
-- With what is added, a release has as many rows in force as the warehouse.
SELECT 1 WHERE (SELECT count(*) FROM @this_model WHERE known_to IS NULL)
    <> (SELECT count(*) FROM derived.decisions WHERE known_to IS NULL)
