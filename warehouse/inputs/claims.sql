-- Claims as known on the day, with how the partner sells.
SELECT claim_id, partner_id, partner_type, customer_id, product_family, association, claim_status, approved_on, valid_from, valid_to
FROM claims_now SEMI JOIN touched_customers USING (customer_id)
LEFT JOIN (SELECT partner_id, partner_type FROM partners_now) USING (partner_id)
