MODEL (
  name published.main.transactions,
  kind VIEW
);

FROM @released(transactions) UNION ALL BY NAME FROM published.added.transactions
