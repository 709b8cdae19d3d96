-- The contents of evidence files, as the slices they came in. A file is known
-- to the ledger by its event; here is how far its bytes are.
CREATE TABLE evidence_file (
    id          BLOB PRIMARY KEY,
    complaint   BLOB NOT NULL,
    received    INTEGER NOT NULL,
    -- Its event is still to be written: the console is sending it.
    staged      INTEGER NOT NULL,
    begun_at    INTEGER NOT NULL,
    -- All bytes are there and their hash fits.
    complete_at INTEGER
);
CREATE INDEX evidence_staged ON evidence_file (begun_at) WHERE staged = 1;

CREATE TABLE evidence_slice (
    file BLOB NOT NULL REFERENCES evidence_file (id),
    -- The place of its first byte in the file.
    at   INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (file, at)
);

-- Who has read which file's contents.
CREATE TABLE evidence_read (
    id        INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    staff     BLOB NOT NULL,
    complaint BLOB NOT NULL,
    file      BLOB NOT NULL
);
CREATE INDEX evidence_read_of ON evidence_read (complaint, id);
