-- The session of the last welcome: a hub that has since served another finds a
-- copied or rolled-back database by it.
alter table link add column contact text;
-- The hub was put back from a backup, and its log is being read again.
alter table link add column forgot integer not null default 0;

-- Where own events stand in the hub's log, in runs of consecutive numbers.
-- That of others is event.hub_seq; -1 there: the hub had it and has no more.
create table placed (
    incarnation integer not null,
    lane integer not null,
    first_n integer not null,
    count integer not null,
    first_seq integer not null,
    primary key (incarnation, lane, first_n)
) without rowid;

-- Own events that were given new numbers, by the hash they had first.
create table renumbered (
    origin text primary key,
    incarnation integer not null,
    lane integer not null,
    n integer not null
) without rowid;
