-- The time beside an event is in no chain: it is kept twice, as what stands
-- beside the ledger is.
ALTER TABLE log ADD COLUMN received_again INTEGER;
UPDATE log SET received_again = received_at;
