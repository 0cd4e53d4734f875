-- The first accepted transaction of each indirect reseller whom a program still has to invite by it; its day is found
-- first, so that the rest is read of few.
WITH uninvited AS (
    SELECT DISTINCT partner_id FROM touched_partners JOIN clean.partners USING (partner_id)
    JOIN program_invitations AS rule ON list_contains(rule.partner_types, partner_type)
    ANTI JOIN (FROM derived.invitations WHERE invited_on <= $as_of) USING (program, partner_id)
    WHERE invite_on = 'first_transaction'
), live AS NOT MATERIALIZED (
    SELECT reseller_id, transaction_id, transaction_at, transaction_on
    FROM clean.transactions SEMI JOIN uninvited ON uninvited.partner_id = reseller_id
    WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn
), first_days AS (
    SELECT reseller_id, min(transaction_on) AS transaction_on FROM live GROUP BY reseller_id
)
SELECT
    reseller_id AS partner_id,
    arg_min(transaction_id, (transaction_at, transaction_id)) AS transaction_id,
    transaction_on
FROM live JOIN first_days USING (reseller_id, transaction_on)
GROUP BY reseller_id, transaction_on
