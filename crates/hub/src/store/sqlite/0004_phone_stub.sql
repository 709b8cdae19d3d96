-- Complaints told by telephone before their record arrived.
CREATE TABLE phone_stub (
    id         BLOB PRIMARY KEY,
    code       TEXT NOT NULL,
    branch     TEXT NOT NULL REFERENCES branch (code),
    -- When the customer arrived, as the clerk told it.
    arrived_at INTEGER NOT NULL,
    grade      TEXT NOT NULL,
    opened_by  BLOB NOT NULL REFERENCES staff (id),
    opened_at  INTEGER NOT NULL,
    -- The expert who looks after it.
    held_by    BLOB NOT NULL REFERENCES staff (id),
    -- The record it was joined with, and when.
    complaint  BLOB,
    joined_at  INTEGER
);
CREATE UNIQUE INDEX phone_stub_open ON phone_stub (branch, code) WHERE joined_at IS NULL;

CREATE TABLE phone_note (
    id   BLOB PRIMARY KEY,
    stub BLOB NOT NULL REFERENCES phone_stub (id),
    at   INTEGER NOT NULL,
    by   BLOB NOT NULL REFERENCES staff (id),
    text TEXT NOT NULL
);
CREATE INDEX phone_note_of ON phone_note (stub, at, id);
