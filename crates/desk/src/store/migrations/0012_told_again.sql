-- What a mailbox has to tell its branch again: events whose place in the hub's
-- log became known, or was forgotten, after they were told.
create table lan_again (
    n integer primary key autoincrement,
    seq integer not null unique
);

-- From which number on a stream is held, without a gap. Of what was held before
-- this version nothing is known: the desks give it again.
alter table mailbox_stream add column first_n integer not null default 0;
delete from mailbox_stream;

-- How far this desk has heard that.
alter table lan_role add column again integer not null default 0;
