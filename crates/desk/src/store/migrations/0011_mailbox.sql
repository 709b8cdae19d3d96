-- The branch's own network, in which one desk is the mailbox of the others.

-- Where an event stands in the log of this desk's mailbox.
alter table event add column lan_seq integer;

-- The desks this one is paired with, by their pinned keys: its mailbox, which
-- has an address, or the desks whose mailbox it is.
create table lan_peer (
    device blob primary key,
    key text not null,
    letter text not null,
    address text,
    paired_at integer not null,
    -- Ended: it may not come any more, but what it left is still forwarded.
    gone integer not null default 0
) without rowid;

-- One row. With an address to listen at, this desk is the mailbox of its branch.
create table lan_role (
    one integer primary key check (one = 1),
    listen text,
    -- How far the mailbox's log is stored here: its number and that event's hash.
    seq integer,
    hash blob
);
insert into lan_role (one) values (1);

-- Batches of other desks as they signed them, until the hub has settled them.
create table mailbox_batch (
    row integer primary key,
    device blob not null,
    incarnation integer not null,
    lane integer not null,
    first_n integer not null,
    last_n integer not null,
    last blob not null,
    body text not null,
    signature text not null,
    unique (device, incarnation, lane, first_n, last)
);

-- How far each desk's streams have come here.
create table mailbox_stream (
    device blob not null,
    incarnation integer not null,
    lane integer not null,
    n integer not null,
    hash blob not null,
    primary key (device, incarnation, lane)
) without rowid;

-- The hub's words for other desks, until they have fetched them.
create table mailbox_words (
    n integer primary key autoincrement,
    device blob not null,
    parcel blob not null
);

-- Whom the branch manager has given a complaint to, out of its row.
alter table complaint add column assigned text
    generated always as (json_extract(body, '$.assigned.staff')) virtual;
create index complaint_assigned on complaint (assigned, scope, rank, row)
    where assigned is not null;
