-- Duty staff are texted as well, one row a person; a text can wait for a
-- person's decision, and a person can see to one that failed otherwise. The
-- table is made anew, because its key cannot be widened in place.
ALTER TABLE staff ADD COLUMN duty_phone TEXT;
ALTER TABLE staff ADD COLUMN duty_language TEXT;
CREATE INDEX staff_on_duty ON staff (branch) WHERE duty_phone IS NOT NULL;
CREATE TABLE sms_anew (
    id            BLOB NOT NULL PRIMARY KEY,
    complaint     BLOB,
    -- The event that asked for it.
    device        BLOB,
    incarnation   INTEGER,
    lane          INTEGER,
    n             INTEGER,
    -- 1 for an answer to a customer's own text.
    is_answer     INTEGER NOT NULL,
    template      TEXT NOT NULL,
    version       INTEGER NOT NULL,
    language      TEXT NOT NULL,
    reference     TEXT,
    -- Digits with the country code.
    recipient     TEXT NOT NULL,
    -- Absent until it is first sent.
    text          TEXT,
    state         TEXT NOT NULL,
    attempts      INTEGER NOT NULL,
    -- While it is being sent: when another may take it over.
    next_at       INTEGER NOT NULL,
    give_up_at    INTEGER NOT NULL,
    -- The last failure, as a code.
    error         TEXT,
    failing_since INTEGER,
    smsc_id       TEXT,
    made_at       INTEGER NOT NULL,
    sent_at       INTEGER,
    delivered_at  INTEGER,
    -- Which member of staff it goes to; absent for customers.
    staff         BLOB,
    -- What duty staff are told of: the clock and when it ends, as JSON.
    deadline      TEXT,
    -- 1 for what quiet hours do not hold back.
    is_urgent     INTEGER NOT NULL DEFAULT 0,
    -- 1 when it was the way that failed last, not this text.
    of_way        INTEGER NOT NULL DEFAULT 0,
    -- Who saw to it otherwise, when and why, as JSON.
    dismissal     TEXT
);
INSERT INTO sms_anew (id, complaint, device, incarnation, lane, n, is_answer, template, version,
    language, reference, recipient, text, state, attempts, next_at, give_up_at, error,
    failing_since, smsc_id, made_at, sent_at, delivered_at)
SELECT id, complaint, device, incarnation, lane, n, is_answer, template, version,
    language, reference, recipient, text, state, attempts, next_at, give_up_at, error,
    failing_since, smsc_id, made_at, sent_at, delivered_at FROM sms;
DROP TABLE sms;
ALTER TABLE sms_anew RENAME TO sms;
CREATE UNIQUE INDEX sms_key
    ON sms (complaint, device, incarnation, lane, n, template, coalesce(staff, x''));
CREATE INDEX sms_due ON sms (is_urgent DESC, is_answer DESC, next_at, id)
    WHERE state IN ('waiting', 'sending');
CREATE INDEX sms_held ON sms (made_at) WHERE state = 'held';
CREATE INDEX sms_failing ON sms (failing_since) WHERE failing_since IS NOT NULL;
CREATE INDEX sms_receipt ON sms (smsc_id, made_at) WHERE smsc_id IS NOT NULL;
CREATE INDEX sms_made ON sms (made_at, id);
CREATE INDEX sms_answers ON sms (recipient, made_at) WHERE is_answer = 1;
