-- The desk's store. Times are milliseconds UTC, ids are 16 bytes, hashes 32.

-- What the enrolment gave. One row.
create table device (
    one integer primary key check (one = 1),
    device blob not null,
    incarnation integer not null,
    desk_letter text not null,
    hub_url text not null,
    hub_key text not null,
    secret blob not null,
    enrolled_at integer not null
);

-- The link to the hub. One row.
create table link (
    one integer primary key check (one = 1),
    epoch text,
    cursor integer not null,
    hub_offset_ms integer,
    offset_at integer
);
insert into link (one, cursor) values (1, 0);

-- The ledger. Only ever appended to; seq is the order in which events were applied here.
create table event (
    seq integer primary key,
    device blob not null,
    incarnation integer not null,
    lane integer not null,
    n integer not null,
    complaint blob not null,
    at integer not null,
    body text not null,
    prev blob not null,
    hash blob not null,
    own integer not null,
    hub_seq integer,
    unique (device, incarnation, lane, n)
);
create index event_complaint on event (complaint);

-- Highest number in a signed receipt, by lane: the outbox is what lies above it.
create table lane_ack (
    lane integer primary key,
    acked_n integer not null,
    at integer
);
insert into lane_ack (lane, acked_n) values (0, 0), (1, 0), (2, 0), (3, 0);

-- The last signed receipt of each lane, as received.
create table receipt (
    lane integer primary key,
    body text not null,
    signature text not null
);

-- The fold of the ledger, for lists. `verify` recomputes it.
create table complaint (
    row integer primary key,
    id blob not null unique,
    reference text not null unique,
    state text not null,
    -- 0 open in the branch, 1 with the experts, 2 done
    scope integer not null,
    -- order within the scope: next deadline, for done ones newest first
    rank integer not null,
    -- when the desk has to remind or hand off next
    prompt_at integer,
    -- recorded on this computer
    mine integer not null,
    body text not null
);
create index complaint_scope on complaint (scope, rank, row, state);
create index complaint_prompt on complaint (prompt_at) where prompt_at is not null;

-- The latest reminder shown, in minutes after arrival.
create table reminder (
    complaint blob primary key references complaint (id),
    minute integer not null
);

-- Words for the search, made by domain::text::shingles; rowid is complaint.row.
create virtual table search using fts5 (
    words,
    content = '',
    contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 0"
);
-- Merge the index in larger steps than usual: a save then touches fewer pages.
insert into search (search, rank) values ('automerge', 8);

-- Forms, saved at every keystroke. That of a recorded complaint is removed when
-- the next is opened.
create table draft (
    id blob primary key,
    staff blob not null,
    opened_at integer not null,
    changed_at integer not null,
    body text not null
);

-- What the desk needs to work without the hub. One row.
create table directory (
    one integer primary key check (one = 1),
    version integer not null,
    body text not null
);
