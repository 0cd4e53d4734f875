-- Enrolments are followed over time; an invitation may have no transaction, and holds from the day on which it went out.
CREATE TABLE derived.enrolments (program VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, valid_from DATE NOT NULL, valid_to
    DATE, enrolment_status VARCHAR NOT NULL, is_enrolled BOOLEAN, reason_code VARCHAR, evidence VARCHAR, known_from DATE NOT
    NULL, known_to DATE);
ALTER TABLE derived.invitations DROP COLUMN invited_on;
ALTER TABLE derived.invitations RENAME COLUMN posted_on TO invited_on;
ALTER TABLE derived.invitations ALTER COLUMN transaction_id DROP NOT NULL;
