-- What failed tries at the customers' doors have come to, under names that say
-- nothing; see `crates/hub/src/store/tries.rs`. Without a log of its own: it
-- costs no disk, no standby has it, and a crash of the server forgives.
CREATE UNLOGGED TABLE tally (
    name    text PRIMARY KEY,
    failed  bigint NOT NULL,
    allowed bigint NOT NULL,
    at      bigint NOT NULL
);
CREATE INDEX tally_at ON tally (at);
