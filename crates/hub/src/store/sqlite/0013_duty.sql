-- What somebody has to do about a complaint, derived from it.
CREATE TABLE duty (
    complaint BLOB NOT NULL,
    kind      TEXT NOT NULL,
    item      BLOB NOT NULL,
    holder    TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (complaint, kind, item)
);
CREATE INDEX duty_by_holder ON duty (holder, at, complaint);
