-- Which rows of which file are recorded, so that an interrupted import goes on
-- without doubling. `run` counts the imports of the same file.
create table import_run (
    run integer primary key,
    file blob not null,
    started_at integer not null,
    finished integer not null default 0
);
create index import_run_file on import_run (file);

create table import_row (
    run integer not null references import_run (run),
    line integer not null,
    complaint blob not null,
    primary key (run, line)
);
