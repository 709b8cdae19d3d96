-- How the complaint refers to the other.
ALTER TABLE link ADD COLUMN relation TEXT NOT NULL DEFAULT 'related';
UPDATE link SET relation = coalesce(
    (SELECT one.value ->> '$.relation'
     FROM complaint, json_each(complaint.body, '$.links') AS one
     WHERE complaint.id = link.complaint
       AND unhex(replace(one.value ->> '$.to', '-', '')) = link.other),
    relation);
-- Whom a case bars through others: a duplicate and a member of a group have the
-- matter and the answer of the case that leads, and a duplicate's matter is that
-- of the case that leads. No rows of their own: it ends with the link, and
-- begins with a recusal, in the transaction that writes either.
CREATE VIEW barred_along AS
    SELECT link.complaint AS complaint, barred.staff AS staff
    FROM link JOIN barred ON barred.complaint = link.other
    WHERE link.relation IN ('duplicate', 'group')
    UNION ALL
    SELECT link.other, barred.staff
    FROM link JOIN barred ON barred.complaint = link.complaint
    WHERE link.relation = 'duplicate'
    UNION ALL
    SELECT link.complaint, barred.staff
    FROM link JOIN link AS twin ON twin.other = link.other AND twin.relation = 'duplicate'
        JOIN barred ON barred.complaint = twin.complaint
    WHERE link.relation IN ('duplicate', 'group');
-- Everybody a case bars.
CREATE VIEW kept_from AS
    SELECT complaint, staff FROM barred
    UNION ALL
    SELECT complaint, staff FROM barred_along;
-- The same rows, for who reads all of them: SQLite keeps the order of a CROSS
-- JOIN, so the few barred lead and the many links are reached by their indexes.
-- Asked for one case this would go through all barred; kept_from is for that.
CREATE VIEW all_kept_from AS
    SELECT complaint, staff FROM barred
    UNION ALL
    SELECT link.complaint, barred.staff
    FROM barred CROSS JOIN link ON link.other = barred.complaint
    WHERE link.relation IN ('duplicate', 'group')
    UNION ALL
    SELECT link.other, barred.staff
    FROM barred CROSS JOIN link ON link.complaint = barred.complaint
    WHERE link.relation = 'duplicate'
    UNION ALL
    SELECT link.complaint, barred.staff
    FROM barred CROSS JOIN link AS twin
            ON twin.complaint = barred.complaint AND twin.relation = 'duplicate'
        CROSS JOIN link ON link.other = twin.other
    WHERE link.relation IN ('duplicate', 'group');
