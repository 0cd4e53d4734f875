MODEL (
  name working.first_sales,
  kind FULL,
  description 'The first sale of each reseller.'
);

SELECT reseller_id AS partner_id, arg_min(transaction_id, (transaction_at, transaction_id)) AS transaction_id,
    min(transaction_on) AS transaction_on
FROM clean.transactions WHERE reseller_id IS NOT NULL GROUP BY reseller_id
