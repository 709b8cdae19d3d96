-- Complaints told by telephone before their record arrived.
CREATE TABLE phone_stub (
    id         uuid PRIMARY KEY,
    code       text COLLATE "C" NOT NULL,
    branch     text COLLATE "C" NOT NULL REFERENCES branch (code),
    -- When the customer arrived, as the clerk told it.
    arrived_at bigint NOT NULL,
    grade      text COLLATE "C" NOT NULL,
    opened_by  uuid NOT NULL REFERENCES staff (id),
    opened_at  bigint NOT NULL,
    -- The expert who looks after it.
    held_by    uuid NOT NULL REFERENCES staff (id),
    -- The record it was joined with, and when.
    complaint  uuid,
    joined_at  bigint
);
CREATE UNIQUE INDEX phone_stub_open ON phone_stub (branch, code) WHERE joined_at IS NULL;

CREATE TABLE phone_note (
    id   uuid PRIMARY KEY,
    stub uuid NOT NULL REFERENCES phone_stub (id),
    at   bigint NOT NULL,
    by   uuid NOT NULL REFERENCES staff (id),
    text text NOT NULL
);
CREATE INDEX phone_note_of ON phone_note (stub, at, id);
