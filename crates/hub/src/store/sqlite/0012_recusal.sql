-- Who stands directly above whom.
ALTER TABLE staff ADD COLUMN superior BLOB;
-- Who can neither see nor handle which complaint: whom it is about, by its
-- ledger, and who stands above them, by the directory.
CREATE TABLE barred (
    complaint BLOB NOT NULL,
    staff     BLOB NOT NULL,
    PRIMARY KEY (complaint, staff)
);
-- Which complaint refers to which other.
CREATE TABLE link (
    complaint BLOB NOT NULL,
    other     BLOB NOT NULL,
    PRIMARY KEY (complaint, other)
);
CREATE INDEX link_to ON link (other, complaint);
