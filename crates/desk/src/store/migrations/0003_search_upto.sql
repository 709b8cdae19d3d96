-- How far the search index has come: complaints with a higher row wait. An
-- entry of the index costs many pages, so that a save makes none; they are made
-- in groups, in idle moments or when many wait. One row.
create table search_upto (
    one integer primary key check (one = 1),
    row integer not null
);
insert into search_upto (one, row) select 1, coalesce(max(row), 0) from complaint;
