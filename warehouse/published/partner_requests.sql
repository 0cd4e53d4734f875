-- What partners asked for, newest last, each with its answer; what was set aside, as a value of it cannot be read, is refused.
WITH answered AS (
    SELECT
        request_id, partner_id, program, request_kind, requested_at, requested_by, subject, outcome, answered_on, reason_code
    FROM derived.answered_requests JOIN (
        SELECT request_id, requested_at, requested_by, subject FROM clean.partner_requests
        WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of)
    ) USING (request_id)
    WHERE answered_on <= $as_of
), set_aside AS (
    SELECT
        delivered ->> 'request_id' AS request_id, delivered ->> 'partner_id' AS partner_id, delivered ->> 'program' AS program,
        delivered ->> 'request_kind' AS request_kind,
        CAST(TRY_CAST(delivered ->> 'requested_at' AS TIMESTAMPTZ) AS TIMESTAMP) AS requested_at,
        delivered ->> 'requested_by' AS requested_by, nullif(delivered ->> 'subject', '') AS subject,
        'refused' AS outcome, answered_on, 'REQREAD' AS reason_code
    FROM clean.quarantine JOIN (
        SELECT unnest(from_json(deliveries, '["VARCHAR"]')) AS delivery_id, business_date AS answered_on FROM derived.runs
    ) USING (delivery_id)
    WHERE feed = 'partner_requests' AND answered_on <= $as_of
        AND (delivered ->> 'request_kind') IN ('coop_claim', 'payee_profile', 'association_claim', 'assign_role') -- not text alone
        AND NOT regexp_matches(rules_broken, ':(request_id|requested_at|requested_by|partner_id|program|request_kind)(,|$)')
    QUALIFY row_number() OVER (PARTITION BY delivered ->> 'request_id' ORDER BY answered_on, quarantine_id) = 1
)
SELECT
    request_id, partner_id, program, request_kind, requested_at, requested_by, subject, outcome, answered_on, asked.reason_code,
    reason, what_to_do
FROM (FROM answered UNION ALL BY NAME FROM set_aside ANTI JOIN answered USING (request_id)) AS asked
LEFT JOIN reasons USING (reason_code)
