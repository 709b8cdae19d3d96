-- Who stands directly above whom.
ALTER TABLE staff ADD COLUMN superior uuid;
-- Who can neither see nor handle which complaint: whom it is about, by its
-- ledger, and who stands above them, by the directory.
CREATE TABLE barred (
    complaint uuid NOT NULL,
    staff     uuid NOT NULL,
    PRIMARY KEY (complaint, staff)
);
-- Which complaint refers to which other.
CREATE TABLE link (
    complaint uuid NOT NULL,
    other     uuid NOT NULL,
    PRIMARY KEY (complaint, other)
);
CREATE INDEX link_to ON link (other, complaint);
