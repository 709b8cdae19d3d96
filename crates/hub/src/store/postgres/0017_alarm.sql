-- Early warnings: what is unusual, which complaints it is made of, and who did
-- what about it. Numbered 0017; 0016 belongs to another change and comes before.
CREATE TABLE alarm (
    id        uuid PRIMARY KEY,
    kind      text COLLATE "C" NOT NULL,
    -- What it is told of, so that it is raised once.
    name      text COLLATE "C" NOT NULL UNIQUE,
    -- What goes on over several days under one alarm.
    series    text COLLATE "C" NOT NULL,
    state     text COLLATE "C" NOT NULL,
    raised_at bigint NOT NULL,
    body      text NOT NULL
);
CREATE INDEX alarm_open ON alarm (raised_at, id) WHERE state <> 'closed';
CREATE INDEX alarm_closed ON alarm (raised_at, id) WHERE state = 'closed';
CREATE INDEX alarm_series ON alarm (series) WHERE state <> 'closed';

CREATE TABLE alarm_member (
    alarm       uuid NOT NULL REFERENCES alarm (id),
    complaint   uuid NOT NULL,
    branch      text COLLATE "C" NOT NULL,
    captured_at bigint NOT NULL,
    PRIMARY KEY (alarm, complaint)
);
CREATE INDEX alarm_member_of ON alarm_member (complaint);

-- Only ever added to.
CREATE TABLE alarm_step (
    alarm uuid NOT NULL REFERENCES alarm (id),
    n     bigint NOT NULL,
    at    bigint NOT NULL,
    staff uuid NOT NULL REFERENCES staff (id),
    step  text COLLATE "C" NOT NULL,
    text  text NOT NULL,
    PRIMARY KEY (alarm, n)
);

CREATE INDEX complaint_by_arrival ON complaint (arrived_at);
