-- What the hub had receipted before the hub's order was kept here has no place
-- in it. It keeps the place it was folded at: behind what had come from the hub
-- by then. The hub's own word, should it be told again, goes before.
insert into placed (incarnation, lane, first_n, count, first_seq)
select e.incarnation, e.lane, e.n, 1, coalesce(
    (select max(o.hub_seq) from event o
     where o.complaint = e.complaint and not o.own and o.seq < e.seq), 0)
from event e
join device d on d.device = e.device and d.incarnation = e.incarnation
join lane_ack a on a.lane = e.lane
where e.own and e.hub_seq is null and e.n <= a.acked_n and not exists (
    select 1 from placed p
    where p.incarnation = e.incarnation and p.lane = e.lane
      and p.first_n <= e.n and e.n < p.first_n + p.count);

-- Complaints whose row is to be made anew from their events before anything
-- else: the rules of folding have changed since it was made.
create table fold_again (complaint blob primary key) without rowid;
insert into fold_again (complaint)
select complaint from event where not own group by complaint;
