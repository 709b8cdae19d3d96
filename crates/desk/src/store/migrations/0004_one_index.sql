-- One index where there were two: a save touches a page less. Only what is open
-- in the branch has prompts, and that is little.
drop index complaint_prompt;
drop index complaint_scope;
create index complaint_scope on complaint (scope, rank, row, state, prompt_at);
