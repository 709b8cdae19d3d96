-- What is to be told to customers by SMS, and what became of it; see
-- `crates/hub/src/sms`. One row an event and text, so that nothing is told
-- twice; an answer to a customer's own text has no event.
CREATE TABLE sms (
    id            uuid NOT NULL PRIMARY KEY,
    complaint     uuid,
    -- The event that asked for it.
    device        uuid,
    incarnation   bigint,
    lane          bigint,
    n             bigint,
    -- True for an answer to a customer's own text.
    is_answer     boolean NOT NULL,
    template      text NOT NULL,
    version       bigint NOT NULL,
    language      text NOT NULL,
    reference     text,
    -- Digits with the country code.
    recipient     text NOT NULL,
    -- Absent until it is first sent.
    text          text,
    state         text NOT NULL,
    attempts      bigint NOT NULL,
    -- While it is being sent: when another may take it over.
    next_at       bigint NOT NULL,
    give_up_at    bigint NOT NULL,
    -- The last failure, as a code.
    error         text,
    failing_since bigint,
    smsc_id       text,
    made_at       bigint NOT NULL,
    sent_at       bigint,
    delivered_at  bigint,
    UNIQUE (complaint, device, incarnation, lane, n, template)
);
CREATE INDEX sms_due ON sms (is_answer DESC, next_at, id) WHERE state IN ('waiting', 'sending');
CREATE INDEX sms_failing ON sms (failing_since) WHERE failing_since IS NOT NULL;
CREATE INDEX sms_receipt ON sms (smsc_id, made_at) WHERE smsc_id IS NOT NULL;
CREATE INDEX sms_made ON sms (made_at, id);
CREATE INDEX sms_answers ON sms (recipient, made_at) WHERE is_answer;
