-- What the desk counted, a row for each day and incarnation; see
-- `suda_sync::statistics`. No person, no text, no case.
create table statistics (
    incarnation integer not null,
    day text not null,
    -- rises with each writing
    revision integer not null,
    body text not null,
    -- the revision the hub holds, in this epoch, and since when
    taken integer not null default 0,
    epoch text,
    taken_at integer,
    primary key (incarnation, day)
) without rowid;

-- Whether the data are open for work. Found open at a start, the end before
-- was not in good order.
create table statistics_run (
    one integer primary key check (one = 1),
    running integer not null
);
