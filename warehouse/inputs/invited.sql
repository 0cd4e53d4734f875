-- Invitations that exist.
SELECT program, partner_id FROM derived.invitations
