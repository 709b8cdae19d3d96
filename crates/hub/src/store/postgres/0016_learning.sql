-- What was learned from confirmed cases; see `crates/hub/src/learning`. One row
-- says how it stands; it is made when it is first needed.
CREATE TABLE learning (
    one        bigint PRIMARY KEY CHECK (one = 1),
    -- The training whose model the desks use.
    in_force   bigint,
    -- Who trains, and until when nobody else may begin.
    holder     uuid,
    busy_until bigint,
    last_at    bigint,
    to_retrain boolean NOT NULL DEFAULT false
);
CREATE TABLE training (
    version  bigint PRIMARY KEY,
    at       bigint NOT NULL,
    asked_by uuid,
    report   text NOT NULL
);
-- The models of trainings that were rolled out and can be gone back to.
CREATE TABLE model (
    version bigint PRIMARY KEY,
    sha256  text NOT NULL,
    data    bytea NOT NULL
);
ALTER TABLE model ALTER COLUMN data SET STORAGE EXTERNAL;
-- Cases whose texts are not to be learned from.
CREATE TABLE forgotten (
    complaint uuid PRIMARY KEY,
    at        bigint NOT NULL
);
