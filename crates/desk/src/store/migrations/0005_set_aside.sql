-- Own events that the hub has set aside and somebody there is to decide about.
create table set_aside (
    lane integer not null,
    n integer not null,
    -- Absent when this database, put back from a backup, does not know the event.
    complaint blob,
    primary key (lane, n)
) without rowid;
create index set_aside_complaint on set_aside (complaint);
