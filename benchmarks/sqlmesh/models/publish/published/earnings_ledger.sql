MODEL (
  name published.main.earnings_ledger,
  kind VIEW
);

FROM @released(earnings_ledger) UNION ALL BY NAME FROM published.added.earnings_ledger
