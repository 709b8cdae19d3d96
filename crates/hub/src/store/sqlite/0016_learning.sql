-- What was learned from confirmed cases; see `crates/hub/src/learning`. One row
-- says how it stands; it is made when it is first needed.
CREATE TABLE learning (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    -- The training whose model the desks use.
    in_force   INTEGER,
    -- Who trains, and until when nobody else may begin.
    holder     BLOB,
    busy_until INTEGER,
    last_at    INTEGER,
    to_retrain INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE training (
    version  INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    asked_by BLOB,
    report   TEXT NOT NULL
);
-- The models of trainings that were rolled out and can be gone back to.
CREATE TABLE model (
    version INTEGER PRIMARY KEY,
    sha256  TEXT NOT NULL,
    data    BLOB NOT NULL
);
-- Cases whose texts are not to be learned from.
CREATE TABLE forgotten (
    complaint BLOB PRIMARY KEY,
    at        INTEGER NOT NULL
);
