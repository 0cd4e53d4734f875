MODEL (
  name working.levers,
  kind SEED (path '$root/../dbt/seeds/lines/levers.csv'),
  columns (program TEXT, lever TEXT, families TEXT, is_commercial BOOLEAN, rate DECIMAL(6, 4), is_illustrative BOOLEAN)
);
