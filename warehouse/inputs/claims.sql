-- Claims as known on the day, over the days on which the partner sells in one way.
SELECT
    claim_id, claim.partner_id, partner_type, customer_id, product_family, association, claim_status, approved_on,
    greatest(claim.valid_from, partner.valid_from) AS valid_from,
    CASE WHEN partner.valid_to < coalesce(claim.valid_to, DATE '9999-12-31') THEN partner.valid_to ELSE claim.valid_to END AS valid_to
FROM (FROM claims_now SEMI JOIN touched_customers USING (customer_id)) AS claim
LEFT JOIN partners_now AS partner ON partner.partner_id = claim.partner_id
    AND partner.valid_from < coalesce(claim.valid_to, DATE '9999-12-31') AND partner.valid_to > claim.valid_from
