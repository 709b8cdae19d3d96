//! Evidence files added here, and how far they are at the hub.

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _, SqliteConnection};
use suda_domain::{Actor, ComplaintId, Evidence, EvidenceId};
use suda_sync::{Hash, Signed};

use super::StoreError;
use super::ledger::signed;

/// A file added here.
pub(crate) struct EvidenceRow {
    pub(crate) complaint: ComplaintId,
    pub(crate) file: Evidence,
    pub(crate) actor: Actor,
    pub(crate) added_at: i64,
    pub(crate) recorded: bool,
    pub(crate) received: u64,
    /// A receipt of the hub's present epoch says that all of it is there.
    pub(crate) at_hub: bool,
}

impl FromRow<'_, SqliteRow> for EvidenceRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let unreadable = |error: serde_json::Error| {
            // Where, not what: the text may be personal.
            let place = format!("JSON at column {}", error.column());
            sqlx::Error::Decode(place.into())
        };
        let body: String = row.try_get("body")?;
        let actor: String = row.try_get("actor")?;
        let received: i64 = row.try_get("received")?;
        Ok(Self {
            complaint: ComplaintId(row.try_get("complaint")?),
            file: serde_json::from_str(&body).map_err(unreadable)?,
            actor: serde_json::from_str(&actor).map_err(unreadable)?,
            added_at: row.try_get("added_at")?,
            recorded: row.try_get("recorded")?,
            received: u64::try_from(received).unwrap_or_default(),
            at_hub: row.try_get("at_hub")?,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select complaint, body, actor, added_at, recorded, received, ",
            "(epoch is not null and epoch = (select epoch from link)) as at_hub from evidence ",
            $rest
        )
    };
}

pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    row: &EvidenceRow,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into evidence (id, complaint, body, actor, added_at, sha256, bytes, recorded) \
         values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing",
    )
    .bind(row.file.id.0)
    .bind(row.complaint.0)
    .bind(serde_json::to_string(&row.file)?)
    .bind(serde_json::to_string(&row.actor)?)
    .bind(row.added_at)
    .bind(contents(&row.file))
    .bind(signed(row.file.bytes))
    .bind(row.recorded)
    .execute(conn)
    .await?;
    Ok(())
}

fn contents(file: &Evidence) -> Vec<u8> {
    let hash: Result<Hash, _> = file.sha256.parse();
    hash.map_or_else(|_| Vec::new(), |hash| hash.0.to_vec())
}

/// The files of a complaint or form, in the order of their ids.
pub(crate) async fn of_complaint(
    conn: &mut SqliteConnection,
    id: ComplaintId,
) -> Result<Vec<EvidenceRow>, StoreError> {
    Ok(sqlx::query_as(select!("where complaint = ? order by id"))
        .bind(id.0)
        .fetch_all(conn)
        .await?)
}

pub(crate) async fn set_recorded(
    conn: &mut SqliteConnection,
    id: EvidenceId,
) -> Result<(), StoreError> {
    sqlx::query("update evidence set recorded = 1 where id = ?")
        .bind(id.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes a file off a form. False when its event is written, or there is none.
pub(crate) async fn remove(
    conn: &mut SqliteConnection,
    form: ComplaintId,
    id: EvidenceId,
) -> Result<bool, StoreError> {
    let done = sqlx::query("delete from evidence where id = ? and complaint = ? and recorded = 0")
        .bind(id.0)
        .bind(form.0)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Complaints that were recorded before the events of their form's files were.
pub(crate) async fn left_behind(
    conn: &mut SqliteConnection,
) -> Result<Vec<ComplaintId>, StoreError> {
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select distinct complaint from evidence where recorded = 0 \
         and exists (select 1 from complaint c where c.id = evidence.complaint)",
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(ComplaintId).collect())
}

/// Forms that have files.
pub(crate) async fn forms(conn: &mut SqliteConnection) -> Result<Vec<ComplaintId>, StoreError> {
    let ids: Vec<uuid::Uuid> =
        sqlx::query_scalar("select distinct complaint from evidence where recorded = 0")
            .fetch_all(conn)
            .await?;
    Ok(ids.into_iter().map(ComplaintId).collect())
}

/// Files of forms that are neither recorded nor kept as drafts any more.
pub(crate) async fn formless(conn: &mut SqliteConnection) -> Result<Vec<EvidenceRow>, StoreError> {
    Ok(sqlx::query_as(select!(
        "where recorded = 0 \
         and not exists (select 1 from complaint c where c.id = evidence.complaint) \
         and not exists (select 1 from draft d where d.id = evidence.complaint)"
    ))
    .fetch_all(conn)
    .await?)
}

/// Whether any file here has these contents.
pub(crate) async fn has_contents(
    conn: &mut SqliteConnection,
    sha256: Hash,
) -> Result<bool, StoreError> {
    Ok(
        sqlx::query_scalar("select exists (select 1 from evidence where sha256 = ?)")
            .bind(sha256.0.to_vec())
            .fetch_one(conn)
            .await?,
    )
}

/// The contents of all files known here.
pub(crate) async fn all_contents(conn: &mut SqliteConnection) -> Result<Vec<Hash>, StoreError> {
    let all: Vec<Vec<u8>> = sqlx::query_scalar("select distinct sha256 from evidence")
        .fetch_all(conn)
        .await?;
    let hashes = all.into_iter().filter_map(|bytes| bytes.try_into().ok());
    Ok(hashes.map(Hash).collect())
}

/// Recorded files without a receipt of the hub's present epoch, the oldest first.
pub(crate) async fn waiting(
    conn: &mut SqliteConnection,
    limit: u32,
) -> Result<Vec<EvidenceRow>, StoreError> {
    Ok(sqlx::query_as(select!(
        "where recorded = 1 and (epoch is null or epoch is not (select epoch from link)) \
         order by id limit ?"
    ))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?)
}

/// How many files wait for a receipt, and how many bytes the hub lacks.
pub(crate) async fn count_waiting(conn: &mut SqliteConnection) -> Result<(u64, u64), StoreError> {
    let (files, bytes): (i64, i64) = sqlx::query_as(
        "select count(*), coalesce(sum(max(bytes - received, 0)), 0) from evidence \
         where epoch is null or epoch is not (select epoch from link)",
    )
    .fetch_one(conn)
    .await?;
    let count = |number| u64::try_from(number).unwrap_or_default();
    Ok((count(files), count(bytes)))
}

pub(crate) async fn set_received(
    conn: &mut SqliteConnection,
    id: EvidenceId,
    received: u64,
) -> Result<(), StoreError> {
    sqlx::query("update evidence set received = ?, epoch = null where id = ?")
        .bind(signed(received))
        .bind(id.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps the hub's receipt for a whole file.
pub(crate) async fn set_complete(
    conn: &mut SqliteConnection,
    id: EvidenceId,
    epoch: &str,
    receipt: &Signed,
) -> Result<(), StoreError> {
    sqlx::query(
        "update evidence set received = bytes, epoch = ?, receipt = ?, signature = ? where id = ?",
    )
    .bind(epoch.to_owned())
    .bind(receipt.body.get().to_owned())
    .bind(receipt.signature.clone())
    .bind(id.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Complaints whose fold names files, for putting rows back after a restore.
pub(crate) async fn complaints_with_files(
    conn: &mut SqliteConnection,
) -> Result<Vec<ComplaintId>, StoreError> {
    let ids: Vec<uuid::Uuid> =
        sqlx::query_scalar("select id from complaint where body like '%\"evidence\":[{%'")
            .fetch_all(conn)
            .await?;
    Ok(ids.into_iter().map(ComplaintId).collect())
}
