-- Invitations so far.
SELECT * FROM derived.invitations
