-- Invitations that exist.
SELECT program, partner_id, transaction_id, invited_on
FROM derived.invitations SEMI JOIN touched_partners USING (partner_id) WHERE invited_on <= $as_of
