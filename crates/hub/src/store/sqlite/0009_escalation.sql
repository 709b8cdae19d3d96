-- When somebody is to be told of a deadline next, and the highest level told
-- that still holds.
ALTER TABLE complaint ADD COLUMN tell_at INTEGER;
ALTER TABLE complaint ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
CREATE INDEX complaint_to_tell ON complaint (tell_at, id) WHERE tell_at IS NOT NULL;
CREATE INDEX complaint_told ON complaint (told DESC, due, id) WHERE told > 0;
