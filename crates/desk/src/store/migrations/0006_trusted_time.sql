-- The working clock as it last stood, to go on from after a restart. At most
-- one row; none before the first contact with the hub.
create table clock (
    one integer primary key check (one = 1),
    -- which start of the computer mono_ms counts from, where the system tells
    boot text,
    mono_ms integer not null,
    wall integer not null,
    at integer not null,
    contact integer,
    -- events with a higher seq were written after this row
    seq integer not null,
    -- how often the computer's clock was set, and the last time
    jumps integer not null default 0,
    jump_at integer,
    jump_by_ms integer
);
insert into clock (one, mono_ms, wall, at, contact, seq)
select 1, 0, offset_at, offset_at + hub_offset_ms, offset_at + hub_offset_ms,
    (select coalesce(max(seq), 0) from event)
from link where hub_offset_ms is not null and offset_at is not null;

-- Stretches of time since the last contact, each begun by a restart over which
-- only the wall clock was left. The last has no end.
create table unconfirmed (
    stretch integer primary key,
    begun integer not null,
    -- the monotonic reading at its beginning
    mono_ms integer not null,
    -- the latest time seen before it
    seen integer not null,
    -- its events have a higher seq
    first_seq integer not null,
    ended integer,
    -- how far the clock was seen to be set when it began
    jump_by_ms integer
);

-- Complaints whose arrival was taken from the clock in unconfirmed time.
create table unconfirmed_arrival (
    complaint blob primary key,
    stretch integer not null
) without rowid;

-- A form's times are the working clock's from here on.
alter table draft add column stretch integer;
update draft set
    opened_at = opened_at + (select coalesce(hub_offset_ms, 0) from link),
    changed_at = changed_at + (select coalesce(hub_offset_ms, 0) from link);
