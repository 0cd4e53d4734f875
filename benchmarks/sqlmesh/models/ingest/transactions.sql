MODEL (
  name clean.transactions,
  kind INCREMENTAL_BY_TIME_RANGE (time_column known_from),
  description 'One billing line.',
  audits (
    not_null(columns := (transaction_id, seller_id, customer_id, product_id, transaction_at, transaction_on,
        charge_type, quantity, revenue_minor, currency)),
    unique_values(columns := (transaction_id)),
    known(column := seller_id, among := clean.partners, as := partner_id, blocking := false),
    known(column := reseller_id, among := clean.partners, as := partner_id, blocking := false),
    known(column := customer_id, among := clean.customers, as := customer_id, blocking := false),
    known(column := product_id, among := clean.products, as := product_id, blocking := false),
    accepted_values(column := charge_type, is_in := ('new', 'renew', 'cycle_charge', 'add_quantity', 'remove_quantity',
        'move_quantity', 'cancel_immediate', 'lapse', 'withdrawal', 'convert', 'change_billing_plan',
        'customer_credit', 'extend_term', 'refund', 'usage')),
    accepted_values(column := association, is_in := ('reseller', 'pal_owner', 'pal_contributor', 'pal_reader', 'tpor',
        'dpor', 'cpor')),
    self_reverses,
    sane_transaction_at,
    rare_revenue,
    usual_volume(low := 0.5, high := 2, blocking := false),
    usual_volume(low := 0.1, high := 10)
  )
);

-- Each line that can be used, once.
SELECT DISTINCT ON (transaction_id) transaction_id, seller_id, reseller_id, customer_id, product_id, subscription_id,
    transaction_at, transaction_at::DATE AS transaction_on, invoice_at, charge_type, quantity,
    (revenue * 1000)::BIGINT // (10 ** (3 - exponent))::BIGINT AS revenue_minor,
    (tax * 1000)::BIGINT // (10 ** (3 - exponent))::BIGINT AS tax_minor,
    currency, association, reverses, @end_date AS business_date, @end_ds || '-transactions' AS delivery_id,
    'transactions.csv' AS file_name, 0 AS line_number, @end_date AS known_from, NULL::DATE AS known_to,
    NULL::DATE AS confirmed_on, false AS is_withdrawn
FROM working.typed WHERE is_usable AND known_from = @end_date;

AUDIT (name self_reverses);
SELECT * FROM @this_model WHERE NOT (reverses IS NULL OR reverses <> transaction_id);

AUDIT (name sane_transaction_at);
SELECT * FROM @this_model WHERE NOT (transaction_at BETWEEN TIMESTAMP '2000-01-01' AND TIMESTAMP '2100-01-01');

AUDIT (name rare_revenue, blocking false);
SELECT * FROM @this_model WHERE NOT (abs(revenue_minor) < 100000000000);

AUDIT (name usual_volume);
-- The day's rows and revenue, as a share of the median of the last 7 same weekdays, are within bounds.
WITH delivered AS (
    SELECT business_date, unnest(['rows', currency]) AS figure, unnest([1, revenue_minor]) AS amount
    FROM clean.transactions WHERE business_date >= @end_date - INTERVAL 49 DAY
        AND dayofweek(business_date) = dayofweek(@end_date)
), daily AS (
    SELECT business_date, figure, sum(amount)::DOUBLE AS amount, count(*) AS line_count FROM delivered GROUP BY ALL
), usual AS (
    SELECT figure, median(amount) AS amount FROM daily WHERE business_date < @end_date GROUP BY figure
    HAVING count(*) >= 3 AND (figure = 'rows' OR median(line_count) >= 30)
)
SELECT figure, daily.amount / usual.amount AS share_of_usual FROM daily JOIN usual USING (figure)
WHERE business_date = @end_date AND usual.amount > 0 AND share_of_usual NOT BETWEEN @low AND @high
