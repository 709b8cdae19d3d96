-- What the management group said among itself came whole until now. Its words
-- go when these complaints are made anew, before anything else.
insert or ignore into fold_again (complaint)
select distinct complaint from event
where not own and n < 281474976710656
  and (instr(body, '"kind":"approval_requested"') > 0
    or instr(body, '"kind":"approved"') > 0
    or instr(body, '"kind":"disapproved"') > 0
    or instr(body, '"kind":"comments_asked"') > 0
    or instr(body, '"kind":"commented"') > 0);
