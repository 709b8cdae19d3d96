-- Every batch asks whether a record waits for one of its complaints.
CREATE INDEX quarantine_waiting ON quarantine (complaint) WHERE resolved_at IS NULL;
