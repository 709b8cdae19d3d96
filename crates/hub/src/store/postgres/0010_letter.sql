-- The files made of answers for customers; see `crates/hub/src/letters`. The
-- ledger names the one that counts of each answer, kind and language, and its
-- hash. One that it does not name was left by a program that ended between.
CREATE TABLE letter (
    id        uuid PRIMARY KEY,
    complaint uuid NOT NULL,
    cycle     bigint NOT NULL,
    kind      text NOT NULL,
    language  text NOT NULL,
    sha256    text NOT NULL,
    bytes     bigint NOT NULL,
    made_at   bigint NOT NULL,
    data      bytea NOT NULL
);
-- They are compressed already.
ALTER TABLE letter ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX letter_of ON letter (complaint, cycle, kind, language);
