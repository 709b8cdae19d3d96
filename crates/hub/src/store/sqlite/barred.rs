//! The barrier of recusal and the links, derived from complaints and the
//! directory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use suda_domain::{Complaint, ComplaintId, Lines, StaffId};
use uuid::Uuid;

use super::directory::{DIRECTORY, setting};
use super::load::ids;
use super::value::parsed;
use super::{Tx, failed};
use crate::store::barred::{KnownLines, Reader};
use crate::store::checks::{Beside, beside};
use crate::store::{Fault, Result};

/// Leaves out what the reader is barred from; behind a condition on `complaint`.
pub fn unless_barred(query: &mut QueryBuilder<Sqlite>, reader: Reader) {
    query
        .push(
            " AND NOT EXISTS (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = complaint.id \
             AND barred.staff = ",
        )
        .push_bind(reader.staff())
        .push(")");
}

/// Who stands above whom.
pub async fn lines(connection: &mut SqliteConnection, known: &KnownLines) -> Result<Arc<Lines>> {
    let directory: u32 = setting(connection, DIRECTORY).await?;
    if let Some(lines) = known.of(directory) {
        return Ok(lines);
    }
    let rows: Vec<(Uuid, Uuid)> =
        sqlx::query_as("SELECT id, superior FROM staff WHERE superior IS NOT NULL")
            .fetch_all(connection)
            .await
            .map_err(failed)?;
    let lines = rows
        .into_iter()
        .map(|(id, above)| (StaffId(id), StaffId(above)));
    Ok(known.keep(directory, lines.collect()))
}

/// Whom these complaints bar through those they are answered with.
pub async fn along(
    connection: &mut SqliteConnection,
    of: impl Iterator<Item = ComplaintId>,
) -> Result<BTreeMap<ComplaintId, BTreeSet<StaffId>>> {
    let rows: Vec<(Uuid, Uuid)> =
        sqlx::query_as("SELECT complaint, staff FROM barred_along WHERE complaint IN (SELECT unhex(value) FROM json_each(?))")
            .bind(ids(of.map(|id| id.0)))
            .fetch_all(connection)
            .await
            .map_err(failed)?;
    let mut along = BTreeMap::<_, BTreeSet<_>>::new();
    for (complaint, staff) in rows {
        let barred = along.entry(ComplaintId(complaint)).or_default();
        barred.insert(StaffId(staff));
    }
    Ok(along)
}

/// Writes what follows from the complaint, in the place of what did.
pub async fn write(tx: &mut Tx<'_>, complaint: &Complaint, lines: &Lines) -> Result<()> {
    let id = complaint.id.0;
    for sql in [
        "DELETE FROM barred WHERE complaint = ?",
        "DELETE FROM link WHERE complaint = ?",
    ] {
        sqlx::query(sql)
            .bind(id)
            .execute(&mut **tx)
            .await
            .map_err(failed)?;
    }
    for staff in lines.own(complaint) {
        sqlx::query("INSERT INTO barred (complaint, staff) VALUES (?, ?)")
            .bind(id)
            .bind(staff.0)
            .execute(&mut **tx)
            .await
            .map_err(failed)?;
    }
    for link in &complaint.links {
        sqlx::query("INSERT INTO link (complaint, other, relation) VALUES (?, ?, ?)")
            .bind(id)
            .bind(link.to.0)
            .bind(link.relation.name())
            .execute(&mut **tx)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// After somebody's superior has changed.
pub async fn renew(tx: &mut Tx<'_>, lines: &Lines) -> Result<()> {
    let bodies: Vec<String> = sqlx::query_scalar(
        "SELECT body FROM complaint WHERE id IN (SELECT complaint FROM barred) ORDER BY id",
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    for body in bodies {
        write(tx, &parsed(&body)?, lines).await?;
    }
    Ok(())
}

/// What stands here and does not follow from any complaint, or is missing.
pub async fn differing(connection: &mut SqliteConnection, lines: &Lines) -> Result<Option<Fault>> {
    let bodies: Vec<String> = sqlx::query_scalar(
        "SELECT body FROM complaint WHERE body LIKE '%\"recused\":[%' OR body LIKE '%\"links\":[{%'",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(failed)?;
    let barred: Vec<(Uuid, Uuid)> = sqlx::query_as("SELECT complaint, staff FROM barred")
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
    let links: Vec<(Uuid, Uuid, String)> =
        sqlx::query_as("SELECT complaint, other, relation FROM link")
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
    let stored = Beside {
        barred: barred.into_iter().collect(),
        links: links.into_iter().collect(),
    };
    beside(&bodies, lines, &stored)
}
