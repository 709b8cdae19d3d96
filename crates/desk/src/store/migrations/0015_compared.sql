-- How far the copy of the hub's log was compared with the hub's, when last, and
-- whether what follows was found different: 0 no, 1 to be read again, 2 also then.
alter table link add column compared_upto integer not null default 0;
alter table link add column compared_at integer;
alter table link add column differs integer not null default 0;
create index event_placed on event (hub_seq) where hub_seq is not null;
