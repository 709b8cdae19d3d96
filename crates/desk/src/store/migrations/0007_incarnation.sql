-- Earlier incarnations of these data, by lane: each ended because the file was
-- restored, rolled back or copied. What was written under one and has no
-- receipt is still to be delivered under its old names.
create table past_incarnation (
    incarnation integer not null,
    lane integer not null,
    acked_n integer not null,
    -- The last number held here when it ended.
    head_n integer not null,
    ended_at integer not null,
    -- restored, rolled_back, copied
    cause text not null,
    primary key (incarnation, lane)
) without rowid;

-- Running numbers up to this one may stand on a customer's receipt although
-- these data do not know it. One row at most.
create table reference_floor (
    one integer primary key check (one = 1),
    day text not null,
    n integer not null
);
