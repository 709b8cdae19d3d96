-- Own events that the hub has set aside and somebody there is to decide about.
create table set_aside (
    lane integer not null,
    n integer not null,
    complaint blob not null,
    primary key (lane, n)
) without rowid;
create index set_aside_complaint on set_aside (complaint);
