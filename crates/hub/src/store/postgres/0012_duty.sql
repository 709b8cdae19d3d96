-- What somebody has to do about a complaint, derived from it.
CREATE TABLE duty (
    complaint uuid NOT NULL,
    kind      text NOT NULL,
    item      uuid NOT NULL,
    holder    text NOT NULL,
    at        bigint NOT NULL,
    PRIMARY KEY (complaint, kind, item)
);
CREATE INDEX duty_by_holder ON duty (holder, at, complaint);
