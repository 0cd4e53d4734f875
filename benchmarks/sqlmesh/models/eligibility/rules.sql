MODEL (
  name working.rules,
  kind SEED (path '$root/../dbt/seeds/eligibility/rules.csv'),
  columns (program TEXT, partner_type TEXT, criterion_number INT, criterion TEXT, any_of TEXT, reason_code TEXT, unmet TEXT)
);
