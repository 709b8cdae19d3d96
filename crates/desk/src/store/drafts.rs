//! Forms not yet recorded.

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _, SqliteConnection};
use suda_domain::{ComplaintId, StaffId};

use super::StoreError;

/// A draft as stored.
pub(crate) struct DraftRow {
    pub(crate) id: uuid::Uuid,
    pub(crate) opened_at: i64,
    pub(crate) changed_at: i64,
    pub(crate) body: String,
}

impl FromRow<'_, SqliteRow> for DraftRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            opened_at: row.try_get("opened_at")?,
            changed_at: row.try_get("changed_at")?,
            body: row.try_get("body")?,
        })
    }
}

/// A moment at which a form was opened or changed.
#[derive(Clone, Copy)]
pub(crate) struct Opened {
    pub(crate) at_ms: i64,
    /// The stretch of unconfirmed time it lies in.
    pub(crate) stretch: Option<i64>,
}

/// Journals a form. Changes nothing when it has been recorded meanwhile: a
/// keystroke that comes after the click on save must not bring the draft back.
pub(crate) async fn save(
    conn: &mut SqliteConnection,
    id: ComplaintId,
    staff: StaffId,
    at: Opened,
    body: String,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into draft (id, staff, opened_at, changed_at, body, stretch) \
         select ?1, ?2, ?3, ?3, ?4, ?5 where not exists (select 1 from complaint where id = ?1) \
         on conflict (id) do update set changed_at = excluded.changed_at, body = excluded.body \
         where staff = excluded.staff",
    )
    .bind(id.0)
    .bind(staff.0)
    .bind(at.at_ms)
    .bind(body)
    .bind(at.stretch)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether there is such a form.
pub(crate) async fn exists(
    conn: &mut SqliteConnection,
    id: ComplaintId,
) -> Result<bool, StoreError> {
    Ok(
        sqlx::query_scalar("select exists (select 1 from draft where id = ?)")
            .bind(id.0)
            .fetch_one(conn)
            .await?,
    )
}

/// A person's drafts not yet recorded, the latest first.
pub(crate) async fn of_staff(
    conn: &mut SqliteConnection,
    staff: StaffId,
) -> Result<Vec<DraftRow>, StoreError> {
    Ok(sqlx::query_as(
        "select id, opened_at, changed_at, body from draft where staff = ? \
         and not exists (select 1 from complaint where complaint.id = draft.id) \
         order by changed_at desc",
    )
    .bind(staff.0)
    .fetch_all(conn)
    .await?)
}

/// How a form stands.
pub(crate) struct Form {
    /// When it was opened; unknown when nothing of it was kept.
    pub(crate) opened: Option<Opened>,
    /// It is a complaint already.
    pub(crate) recorded: bool,
}

/// Begins a transaction and reads how a form stands.
pub(super) async fn begin(
    conn: &mut SqliteConnection,
    id: ComplaintId,
) -> Result<Form, StoreError> {
    let (at_ms, stretch, recorded): (Option<i64>, Option<i64>, bool) = sqlx::query_as(
        "begin immediate; select (select opened_at from draft where id = ?1), \
         (select stretch from draft where id = ?1), exists (select 1 from complaint where id = ?1)",
    )
    .bind(id.0)
    .fetch_one(conn)
    .await?;
    Ok(Form {
        opened: at_ms.map(|at_ms| Opened { at_ms, stretch }),
        recorded,
    })
}

pub(crate) async fn delete(
    conn: &mut SqliteConnection,
    id: ComplaintId,
    staff: StaffId,
) -> Result<(), StoreError> {
    sqlx::query("delete from draft where id = ? and staff = ?")
        .bind(id.0)
        .bind(staff.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes what is done with: recorded forms, and the person's that were opened
/// and never filled in nor given a file; `blank` is how those are stored.
pub(crate) async fn delete_done(
    conn: &mut SqliteConnection,
    staff: StaffId,
    blank: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "delete from draft where (staff = ? and body = ? \
         and not exists (select 1 from evidence e where e.complaint = draft.id)) \
         or exists (select 1 from complaint where complaint.id = draft.id)",
    )
    .bind(staff.0)
    .bind(blank.to_owned())
    .execute(conn)
    .await?;
    Ok(())
}
