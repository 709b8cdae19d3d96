-- The hub's sessions with each incarnation of a device: how a copied or
-- rolled-back database is found at its first hello.
CREATE TABLE incarnation (
    device      BLOB NOT NULL REFERENCES device (id),
    incarnation INTEGER NOT NULL,
    session     INTEGER NOT NULL,
    used        INTEGER NOT NULL,
    before      INTEGER NOT NULL,
    -- The letter given with it, where it was given one.
    letter      TEXT,
    PRIMARY KEY (device, incarnation)
);

-- What events stored under a new number were first, so that two copies of a
-- database cannot both bring them.
CREATE TABLE origin (
    device      BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    lane        INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    hash        TEXT NOT NULL,
    PRIMARY KEY (device, incarnation, lane, n, hash)
);
