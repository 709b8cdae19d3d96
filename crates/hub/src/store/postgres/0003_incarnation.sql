-- The hub's sessions with each incarnation of a device: how a copied or
-- rolled-back database is found at its first hello.
CREATE TABLE incarnation (
    device      uuid NOT NULL REFERENCES device (id),
    incarnation bigint NOT NULL,
    session     bigint NOT NULL,
    used        boolean NOT NULL,
    before      bigint NOT NULL,
    -- The letter given with it, where it was given one.
    letter      text,
    PRIMARY KEY (device, incarnation)
);

-- What events stored under a new number were first, so that two copies of a
-- database cannot both bring them.
CREATE TABLE origin (
    device      uuid NOT NULL,
    incarnation bigint NOT NULL,
    lane        bigint NOT NULL,
    n           bigint NOT NULL,
    hash        text NOT NULL,
    PRIMARY KEY (device, incarnation, lane, n, hash)
);
