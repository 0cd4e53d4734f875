MODEL (
  name published.added.transactions,
  kind CUSTOM (materialization 'parquet'),
  description 'One billing line as known on the day.',
  audits (
    not_null(columns := (transaction_id, seller_id, customer_id, product_id, transaction_at, charge_type, quantity,
        revenue, currency, delivery_id, file_name, line_number, known_from)),
    unique_values(columns := (transaction_id)),
    accepted_values(column := charge_type, is_in := ('new', 'renew', 'cycle_charge', 'add_quantity', 'remove_quantity',
        'move_quantity', 'cancel_immediate', 'lapse', 'withdrawal', 'convert', 'change_billing_plan',
        'customer_credit', 'extend_term', 'refund', 'usage')),
    accepted_values(column := association, is_in := ('reseller', 'pal_owner', 'pal_contributor', 'pal_reader', 'tpor',
        'dpor', 'cpor'))
  )
);

SELECT transaction_id, seller_id, reseller_id, customer_id, product_id, subscription_id, transaction_at, invoice_at,
    charge_type, quantity, @amount(revenue_minor) AS revenue, @amount(tax_minor) AS tax, currency,
    association, reverses, delivery_id, file_name, line_number, known_from
FROM clean.transactions JOIN meta.currencies USING (currency) WHERE known_from = @end_date
