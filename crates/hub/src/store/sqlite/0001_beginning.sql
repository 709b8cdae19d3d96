-- One line of settings each; values are JSON.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE branch (
    code   TEXT PRIMARY KEY,
    name   TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE staff (
    id            BLOB PRIMARY KEY,
    login         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL,
    branch        TEXT REFERENCES branch (code),
    password_hash TEXT NOT NULL,
    active        INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX staff_by_branch ON staff (branch);

CREATE TABLE guidance (
    category    TEXT NOT NULL,
    version     INTEGER NOT NULL,
    title       TEXT NOT NULL,
    text        TEXT NOT NULL,
    limit_minor INTEGER,
    approved_by BLOB REFERENCES staff (id),
    approved_at INTEGER NOT NULL,
    PRIMARY KEY (category, version)
);

CREATE TABLE enrol_code (
    hash       BLOB PRIMARY KEY,
    branch     TEXT NOT NULL REFERENCES branch (code),
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
);

CREATE TABLE device (
    id          BLOB PRIMARY KEY,
    incarnation INTEGER NOT NULL,
    branch      TEXT NOT NULL REFERENCES branch (code),
    letter      TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    name        TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL,
    last_seen   INTEGER,
    -- Hub's time minus the device's wall clock at the last hello.
    offset_ms   INTEGER,
    UNIQUE (branch, letter)
);

-- The last event of each lane, stored or set aside.
CREATE TABLE lane_head (
    device      BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    lane        INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    PRIMARY KEY (device, incarnation, lane)
);

-- The ledger. seq is gapless; chain is SHA-256(chain before || hash).
CREATE TABLE log (
    seq         INTEGER PRIMARY KEY,
    branch      TEXT NOT NULL,
    complaint   BLOB NOT NULL,
    device      BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    lane        INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    body        TEXT NOT NULL,
    prev        BLOB NOT NULL,
    hash        BLOB NOT NULL,
    chain       BLOB NOT NULL,
    UNIQUE (device, incarnation, lane, n)
);
CREATE INDEX log_by_branch ON log (branch, seq);
CREATE INDEX log_by_complaint ON log (complaint, seq);

-- Each complaint as its ledger makes it, with what lists are sorted by.
-- Everything here can be recomputed from the log.
CREATE TABLE complaint (
    id            BLOB PRIMARY KEY,
    reference     TEXT NOT NULL UNIQUE,
    branch        TEXT NOT NULL,
    state         TEXT NOT NULL,
    -- 1 to 3 by grade, 4 without one, 9 when finished.
    rank          INTEGER NOT NULL,
    -- The nearest running deadline; the largest integer when there is none.
    due           INTEGER NOT NULL,
    in_queue      INTEGER NOT NULL,
    with_team     INTEGER NOT NULL,
    claimed_by    BLOB,
    alert_pending INTEGER NOT NULL,
    arrived_at    INTEGER NOT NULL,
    queued_at     INTEGER,
    -- The end of the hour; absent for rows of the past.
    handoff_due   INTEGER,
    updated_seq   INTEGER NOT NULL,
    body          TEXT NOT NULL
);
CREATE INDEX complaint_all ON complaint (rank, due, id);
CREATE INDEX complaint_of_branch ON complaint (branch, rank, due, id);
CREATE INDEX complaint_by_state ON complaint (branch, state);
CREATE INDEX complaint_queue ON complaint (rank, due, id) WHERE in_queue = 1;
CREATE INDEX complaint_team ON complaint (rank, due, id) WHERE with_team = 1;
CREATE INDEX complaint_claimed ON complaint (claimed_by, rank, due, id) WHERE claimed_by IS NOT NULL;
CREATE INDEX complaint_alert ON complaint (id) WHERE alert_pending = 1;
CREATE INDEX complaint_queued ON complaint (queued_at) WHERE queued_at IS NOT NULL;

CREATE TABLE task (
    id         BLOB PRIMARY KEY,
    complaint  BLOB NOT NULL,
    department BLOB NOT NULL,
    is_open    INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    body       TEXT NOT NULL
);
CREATE INDEX task_by_complaint ON task (complaint);
CREATE INDEX task_by_department ON task (department, is_open, due_at, id);

-- How long a claim lasts; renewing it is no step of the ledger.
CREATE TABLE lease (
    complaint BLOB PRIMARY KEY,
    lease     BLOB NOT NULL,
    expert    BLOB NOT NULL,
    until     INTEGER NOT NULL
);
CREATE INDEX lease_until ON lease (until);

-- What a person has to look at. Nothing behind it waits.
CREATE TABLE quarantine (
    id          INTEGER PRIMARY KEY,
    device      BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    lane        INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    branch      TEXT NOT NULL,
    complaint   BLOB,
    kind        TEXT,
    body        TEXT NOT NULL,
    prev        BLOB NOT NULL,
    hash        BLOB NOT NULL,
    reason      TEXT NOT NULL,
    at          INTEGER NOT NULL,
    resolved_at INTEGER,
    resolved_by BLOB,
    resolution  TEXT,
    UNIQUE (device, incarnation, lane, n, hash)
);
CREATE INDEX quarantine_open ON quarantine (id) WHERE resolved_at IS NULL;

CREATE TABLE web_session (
    token_hash BLOB PRIMARY KEY,
    staff      BLOB NOT NULL REFERENCES staff (id),
    expires_at INTEGER NOT NULL
);
CREATE INDEX web_session_by_staff ON web_session (staff);

-- Steps already done, so that a second click does nothing.
CREATE TABLE done_step (
    key BLOB PRIMARY KEY,
    at  INTEGER NOT NULL
);
CREATE INDEX done_step_at ON done_step (at);

-- The full-text index follows the log a moment later, so that it never slows it.
CREATE TABLE to_index (
    complaint BLOB PRIMARY KEY
);
CREATE TABLE indexed (
    rowid     INTEGER PRIMARY KEY,
    complaint BLOB NOT NULL UNIQUE
);
CREATE VIRTUAL TABLE complaint_text USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 0"
);
