//! The barrier of recusal and the links, derived from complaints and the
//! directory.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use suda_domain::{Complaint, Lines, StaffId};
use uuid::Uuid;

use super::directory::{DIRECTORY, setting};
use super::value::parsed;
use super::{Tx, failed};
use crate::store::barred::{KnownLines, Reader};
use crate::store::checks::{Beside, beside};
use crate::store::{Fault, Result};

/// Leaves out what the reader is barred from; behind a condition on `complaint`.
pub fn unless_barred(query: &mut QueryBuilder<Sqlite>, reader: Reader) {
    query
        .push(
            " AND NOT EXISTS (SELECT 1 FROM barred WHERE barred.complaint = complaint.id \
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
    let barred = lines.barred(complaint).into_iter().map(|staff| staff.0);
    let links = complaint.links.iter().map(|link| link.to.0);
    for (sql, others) in [
        (
            "INSERT INTO barred (complaint, staff) VALUES (?, ?)",
            barred.collect::<Vec<_>>(),
        ),
        (
            "INSERT INTO link (complaint, other) VALUES (?, ?)",
            links.collect(),
        ),
    ] {
        for other in others {
            sqlx::query(sql)
                .bind(id)
                .bind(other)
                .execute(&mut **tx)
                .await
                .map_err(failed)?;
        }
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
    let mut stored = Beside::default();
    for (sql, into) in [
        ("SELECT complaint, staff FROM barred", &mut stored.barred),
        ("SELECT complaint, other FROM link", &mut stored.links),
    ] {
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(sql)
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
        *into = rows.into_iter().collect::<BTreeSet<_>>();
    }
    beside(&bodies, lines, &stored)
}
