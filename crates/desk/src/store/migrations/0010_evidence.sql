-- Evidence files added here. Their contents are sealed files beside the
-- database; the ledger has their events once the complaint is recorded.
create table evidence (
    id blob primary key,
    complaint blob not null,
    -- the file as the ledger names it, and who added it
    body text not null,
    actor text not null,
    added_at integer not null,
    sha256 blob not null,
    bytes integer not null,
    -- its event is written; before, it belongs to a form
    recorded integer not null,
    -- how far it is at the hub, as last signed
    received integer not null default 0,
    -- the hub's epoch of the receipt that says it is complete there
    epoch text,
    receipt text,
    signature text
);
create index evidence_of on evidence (complaint);
create index evidence_epoch on evidence (recorded, epoch);
create index evidence_contents on evidence (sha256);
