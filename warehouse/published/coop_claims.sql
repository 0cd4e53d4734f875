-- Claims to co-op funds as they stand.
SELECT * FROM derived.coop_claims WHERE known_to IS NULL
