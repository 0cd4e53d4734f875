-- Lines in their programs, with the product sold and the partner who earns: one row a line and program that may pay for it,
-- which is one of how the partner sold on the line's reference date, and none after its last lever has ended.
-- A claim to the customer's workload that counts on the line's reference date decides who earns and by which
-- association, unless the line's own association comes before it; else the partner of the line does, by its own.
-- `sold` is a table of what these lines and their heads sold; `reference` names facts as in lines_at.sql; `associations` is a table of claims that count.
-- A line names its product by id or, where that is unique, by name, as some reconciliation files do.
CREATE OR REPLACE TEMP MACRO catalogue_at(reference) AS TABLE
WITH products AS (FROM query_table('products_' || reference))
SELECT product_id AS named, product_family, product_segment, term, is_strategic, is_trial, is_add_on FROM products
UNION ALL
SELECT product_name, any_value(product_family), any_value(product_segment), any_value(term), any_value(is_strategic),
    any_value(is_trial), any_value(is_add_on)
FROM products WHERE product_name NOT IN (SELECT product_id FROM products)
GROUP BY product_name HAVING count(*) = 1;

CREATE OR REPLACE TEMP MACRO program_lines(lines, sold, reference, associations) AS TABLE
WITH dated AS (
    SELECT
        line.transaction_id, line.reverses, rule.program, rule.program_currency, rule.partner_types, rule.pays_until,
        CASE rule.earner WHEN 'seller' THEN line.seller_id ELSE line.reseller_id END AS partner_id,
        touched.arrival AS cause, touched.is_known AS is_posted, line.revenue_minor, line.quantity, line.currency,
        coalesce(head.charge_type, line.charge_type) AS charge_type, line.charge_type AS own_charge_type,
        line.transaction_at AS own_at, head.transaction_id AS root_id,
        coalesce(head.customer_id, line.customer_id) AS customer_id, coalesce(head.product_id, line.product_id) AS product_id,
        coalesce(head.association, line.association) AS association,
        CASE WHEN rule.reference_date = 'invoice_date' AND head.transaction_id IS NULL THEN coalesce(line.invoice_at, line.transaction_at)
            WHEN rule.reference_date = 'invoice_date' THEN coalesce(head.invoice_at, head.transaction_at)
            ELSE coalesce(head.transaction_at, line.transaction_at) END AS reference_at,
        line.reverses IS NULL OR (
            head.transaction_id IS NOT NULL AND head.reverses IS NULL AND head.currency = line.currency
            AND sign(head.revenue_minor) * sign(line.revenue_minor) * CASE line.reverses WHEN head.transaction_id THEN 1 ELSE -1 END <= 0
            AND CASE rule.earner WHEN 'seller' THEN head.seller_id = line.seller_id ELSE head.reseller_id = line.reseller_id END
        ) IS TRUE AS is_original_known
    FROM query_table(lines) AS touched
    JOIN program_earners AS rule USING (program)
    JOIN query_table(sold) AS line USING (transaction_id)
    LEFT JOIN query_table(sold) AS head -- a second condition would make it a nested loop
        ON head.transaction_id = CASE WHEN touched.root <> line.transaction_id THEN touched.root END
), claimed AS ( -- one claim counts at most, so that no line doubles
    SELECT dated.*, product.* EXCLUDE (named), CAST(reference_at AS DATE) AS reference_on, claim.claim_id AS claimed_id,
        claim.partner_id AS claimed_by, claim.association AS claimed_association,
        claim.claim_id IS NOT NULL AND NOT coalesce(list_contains(string_split(yields_to, ','), dated.association), false) AS is_claimed
    FROM dated LEFT JOIN catalogue_at(reference) AS product ON product.named = dated.product_id
    LEFT JOIN query_table(associations) AS claim ON claim.program = dated.program AND claim.customer_id = dated.customer_id
        AND claim.product_family = product.product_family AND claim.valid_from <= CAST(reference_at AS DATE)
        AND coalesce(claim.valid_to, DATE '9999-12-31') > CAST(reference_at AS DATE)
), earned AS (
    SELECT * REPLACE (CASE WHEN is_claimed THEN claimed_by ELSE partner_id END AS partner_id,
        CASE WHEN is_claimed THEN claimed_association ELSE association END AS association),
        CASE WHEN is_claimed THEN claimed_id END AS claim_id
    FROM claimed
)
SELECT
    earned.*, partner.partner_type IS NOT NULL AS is_partner_known, earned.customer_id = partner.tenant_id AS is_own_customer
FROM earned LEFT JOIN query_table('partners_' || reference) AS partner
    ON partner.partner_id = earned.partner_id AND partner.valid_from <= reference_on AND partner.valid_to > reference_on
WHERE earned.partner_id IS NOT NULL AND (partner.partner_type IS NULL OR list_contains(partner_types, partner.partner_type))
    AND (pays_until IS NULL OR reference_on < pays_until)
