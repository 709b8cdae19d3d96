-- Whose each record set aside is, and from when somebody has to look at it:
-- one that waits for a predecessor finds its place by itself, mostly, and is
-- somebody's after five minutes only.
ALTER TABLE quarantine ADD COLUMN wanted_at bigint NOT NULL DEFAULT 0;
ALTER TABLE quarantine ADD COLUMN holder uuid;
ALTER TABLE quarantine ADD COLUMN entrusted_at bigint;
UPDATE quarantine SET wanted_at = at +
    CASE WHEN reason IN ('"unknown_complaint"', '{"not_allowed":"owner_ahead"}') THEN 300000 ELSE 0 END;
CREATE INDEX quarantine_held_by ON quarantine (holder, id) WHERE resolved_at IS NULL;
