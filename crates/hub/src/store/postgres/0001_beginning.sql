-- The embedded store's tables in PostgreSQL's words. Times are milliseconds
-- UTC; codes and names sort by their bytes, as everywhere else.

-- One line of settings each; values are JSON.
CREATE TABLE setting (
    name  text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE branch (
    code   text COLLATE "C" PRIMARY KEY,
    name   text NOT NULL,
    active boolean NOT NULL DEFAULT true
);

CREATE TABLE staff (
    id            uuid PRIMARY KEY,
    login         text COLLATE "C" NOT NULL UNIQUE,
    name          text NOT NULL,
    role          text COLLATE "C" NOT NULL,
    branch        text COLLATE "C" REFERENCES branch (code),
    password_hash text NOT NULL,
    active        boolean NOT NULL DEFAULT true
);
CREATE INDEX staff_by_branch ON staff (branch);

CREATE TABLE guidance (
    category    text COLLATE "C" NOT NULL,
    version     bigint NOT NULL,
    title       text NOT NULL,
    text        text NOT NULL,
    limit_minor bigint,
    approved_by uuid REFERENCES staff (id),
    approved_at bigint NOT NULL,
    PRIMARY KEY (category, version)
);

CREATE TABLE enrol_code (
    hash       bytea PRIMARY KEY,
    branch     text COLLATE "C" NOT NULL REFERENCES branch (code),
    made_at    bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at    bigint
);

CREATE TABLE device (
    id          uuid PRIMARY KEY,
    incarnation bigint NOT NULL,
    branch      text COLLATE "C" NOT NULL REFERENCES branch (code),
    letter      text COLLATE "C" NOT NULL,
    public_key  text NOT NULL,
    name        text NOT NULL,
    enrolled_at bigint NOT NULL,
    last_seen   bigint,
    -- Hub's time minus the device's wall clock at the last hello.
    offset_ms   bigint,
    UNIQUE (branch, letter)
);

-- The last event of each lane, stored or set aside.
CREATE TABLE lane_head (
    device      uuid NOT NULL,
    incarnation bigint NOT NULL,
    lane        bigint NOT NULL,
    n           bigint NOT NULL,
    hash        bytea NOT NULL,
    PRIMARY KEY (device, incarnation, lane)
);

-- The ledger. seq is gapless; chain is SHA-256(chain before || hash).
CREATE TABLE log (
    seq         bigint PRIMARY KEY,
    received_at bigint NOT NULL,
    incarnation bigint NOT NULL,
    lane        bigint NOT NULL,
    n           bigint NOT NULL,
    complaint   uuid NOT NULL,
    device      uuid NOT NULL,
    branch      text COLLATE "C" NOT NULL,
    prev        bytea NOT NULL,
    hash        bytea NOT NULL,
    chain       bytea NOT NULL,
    body        text NOT NULL,
    UNIQUE (device, incarnation, lane, n)
);
CREATE INDEX log_by_branch ON log (branch, seq);
CREATE INDEX log_by_complaint ON log (complaint, seq);

-- Where the ledger ends. Whoever writes the ledger locks this one row first.
CREATE TABLE log_head (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq   bigint NOT NULL,
    chain bytea NOT NULL
);
INSERT INTO log_head (seq, chain) VALUES (0, decode(repeat('00', 32), 'hex'));

-- Each complaint as its ledger makes it, with what lists are sorted by.
-- Everything here can be recomputed from the log.
CREATE TABLE complaint (
    id            uuid PRIMARY KEY,
    reference     text COLLATE "C" NOT NULL UNIQUE,
    branch        text COLLATE "C" NOT NULL,
    state         text COLLATE "C" NOT NULL,
    -- 1 to 3 by grade, 4 without one, 9 when finished.
    rank          bigint NOT NULL,
    -- The nearest running deadline; the largest integer when there is none.
    due           bigint NOT NULL,
    in_queue      boolean NOT NULL,
    with_team     boolean NOT NULL,
    claimed_by    uuid,
    alert_pending boolean NOT NULL,
    arrived_at    bigint NOT NULL,
    queued_at     bigint,
    -- The end of the hour; absent for rows of the past.
    handoff_due   bigint,
    updated_seq   bigint NOT NULL,
    body          text NOT NULL
);
CREATE INDEX complaint_all ON complaint (rank, due, id);
CREATE INDEX complaint_of_branch ON complaint (branch, rank, due, id);
CREATE INDEX complaint_by_state ON complaint (branch, state);
CREATE INDEX complaint_queue ON complaint (rank, due, id) WHERE in_queue;
CREATE INDEX complaint_team ON complaint (rank, due, id) WHERE with_team;
CREATE INDEX complaint_claimed ON complaint (claimed_by, rank, due, id) WHERE claimed_by IS NOT NULL;
CREATE INDEX complaint_alert ON complaint (id) WHERE alert_pending;
CREATE INDEX complaint_queued ON complaint (queued_at) WHERE queued_at IS NOT NULL;

CREATE TABLE task (
    id         uuid PRIMARY KEY,
    complaint  uuid NOT NULL,
    department uuid NOT NULL,
    is_open    boolean NOT NULL,
    due_at     bigint NOT NULL,
    body       text NOT NULL
);
CREATE INDEX task_by_complaint ON task (complaint);
CREATE INDEX task_by_department ON task (department, is_open, due_at, id);

-- How long a claim lasts; renewing it is no step of the ledger.
CREATE TABLE lease (
    complaint uuid PRIMARY KEY,
    lease     uuid NOT NULL,
    expert    uuid NOT NULL,
    until     bigint NOT NULL
);
CREATE INDEX lease_until ON lease (until);

-- What a person has to look at. Nothing behind it waits.
CREATE TABLE quarantine (
    id          bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    device      uuid NOT NULL,
    incarnation bigint NOT NULL,
    lane        bigint NOT NULL,
    n           bigint NOT NULL,
    branch      text COLLATE "C" NOT NULL,
    complaint   uuid,
    kind        text COLLATE "C",
    body        text NOT NULL,
    prev        bytea NOT NULL,
    hash        bytea NOT NULL,
    reason      text NOT NULL,
    at          bigint NOT NULL,
    resolved_at bigint,
    resolved_by uuid,
    resolution  text,
    UNIQUE (device, incarnation, lane, n, hash)
);
CREATE INDEX quarantine_open ON quarantine (id) WHERE resolved_at IS NULL;
CREATE INDEX quarantine_open_of ON quarantine (device, incarnation, id) WHERE resolved_at IS NULL;

CREATE TABLE web_session (
    token_hash bytea PRIMARY KEY,
    staff      uuid NOT NULL REFERENCES staff (id),
    expires_at bigint NOT NULL
);
CREATE INDEX web_session_by_staff ON web_session (staff);

-- Steps already done, so that a second click does nothing.
CREATE TABLE done_step (
    key uuid PRIMARY KEY,
    at  bigint NOT NULL
);
CREATE INDEX done_step_at ON done_step (at);

-- The full-text index follows the log a moment later, so that it never slows
-- it. seq is the complaint's last line when its text changed.
CREATE TABLE to_index (
    complaint uuid PRIMARY KEY,
    seq       bigint NOT NULL
);
CREATE TABLE complaint_text (
    complaint uuid PRIMARY KEY,
    words     tsvector NOT NULL
);
CREATE INDEX complaint_text_words ON complaint_text USING gin (words);
