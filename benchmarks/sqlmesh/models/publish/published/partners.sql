MODEL (
  name published.main.partners,
  kind FULL,
  description 'One partner location as known on the day.',
  audits (
    not_null(columns := (partner_id, global_partner_id, partner_name, country, tenant_country, partner_type,
        reseller_status)),
    unique_values(columns := (partner_id)),
    accepted_values(column := partner_type, is_in := ('direct_bill', 'indirect_provider', 'indirect_reseller')),
    accepted_values(column := reseller_status, is_in := ('active', 'suspended', 'inactive'))
  )
);

SELECT partner_id, global_partner_id, partner_name, country, tenant_country, partner_type, reseller_status
FROM clean.partners
