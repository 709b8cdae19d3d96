-- What is to be told to customers by SMS, and what became of it; see
-- `crates/hub/src/sms`. One row an event and text, so that nothing is told
-- twice; an answer to a customer's own text has no event.
CREATE TABLE sms (
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
    UNIQUE (complaint, device, incarnation, lane, n, template)
);
CREATE INDEX sms_due ON sms (is_answer DESC, next_at, id) WHERE state IN ('waiting', 'sending');
CREATE INDEX sms_failing ON sms (failing_since) WHERE failing_since IS NOT NULL;
CREATE INDEX sms_receipt ON sms (smsc_id, made_at) WHERE smsc_id IS NOT NULL;
CREATE INDEX sms_made ON sms (made_at, id);
CREATE INDEX sms_answers ON sms (recipient, made_at) WHERE is_answer = 1;
