-- The files made of answers for customers; see `crates/hub/src/letters`. The
-- ledger names the one that counts of each answer, kind and language, and its
-- hash. One that it does not name was left by a program that ended between.
CREATE TABLE letter (
    id        BLOB PRIMARY KEY,
    complaint BLOB NOT NULL,
    cycle     INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    language  TEXT NOT NULL,
    sha256    TEXT NOT NULL,
    bytes     INTEGER NOT NULL,
    made_at   INTEGER NOT NULL,
    data      BLOB NOT NULL
);
CREATE INDEX letter_of ON letter (complaint, cycle, kind, language);
