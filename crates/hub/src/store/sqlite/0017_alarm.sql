-- Early warnings: what is unusual, which complaints it is made of, and who did
-- what about it. Numbered 0017; 0016 belongs to another change and comes before.
CREATE TABLE alarm (
    id        BLOB PRIMARY KEY,
    kind      TEXT NOT NULL,
    -- What it is told of, so that it is raised once.
    name      TEXT NOT NULL UNIQUE,
    -- What goes on over several days under one alarm.
    series    TEXT NOT NULL,
    state     TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    body      TEXT NOT NULL
);
CREATE INDEX alarm_open ON alarm (raised_at, id) WHERE state <> 'closed';
CREATE INDEX alarm_closed ON alarm (raised_at, id) WHERE state = 'closed';
CREATE INDEX alarm_series ON alarm (series) WHERE state <> 'closed';

CREATE TABLE alarm_member (
    alarm       BLOB NOT NULL REFERENCES alarm (id),
    complaint   BLOB NOT NULL,
    branch      TEXT NOT NULL,
    captured_at INTEGER NOT NULL,
    PRIMARY KEY (alarm, complaint)
);
CREATE INDEX alarm_member_of ON alarm_member (complaint);

-- Only ever added to.
CREATE TABLE alarm_step (
    alarm BLOB NOT NULL REFERENCES alarm (id),
    n     INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    staff BLOB NOT NULL REFERENCES staff (id),
    step  TEXT NOT NULL,
    text  TEXT NOT NULL,
    PRIMARY KEY (alarm, n)
);

CREATE INDEX complaint_by_arrival ON complaint (arrived_at);
