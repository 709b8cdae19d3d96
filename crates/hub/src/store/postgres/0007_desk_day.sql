-- What desks counted of each day, the writing with the highest revision of
-- each; see `suda_sync::statistics`. No person, no text, no case.
CREATE TABLE desk_day (
    device      uuid NOT NULL REFERENCES device (id),
    -- The civil day at the branch, as 2026-07-21.
    day         text COLLATE "C" NOT NULL,
    incarnation bigint NOT NULL,
    revision    bigint NOT NULL,
    body        text NOT NULL,
    received_at bigint NOT NULL,
    PRIMARY KEY (device, day, incarnation)
);
CREATE INDEX desk_day_by_day ON desk_day (day);
CREATE INDEX desk_day_received ON desk_day (received_at);
