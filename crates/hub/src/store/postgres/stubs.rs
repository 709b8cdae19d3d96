//! Complaints told by telephone.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use suda_domain::{BranchCode, ComplaintId, StaffId};
use uuid::Uuid;

use super::value::{branch, ms, parsed, time};
use super::{PostgresStore, failed, is_foreign_key_violation, is_unique_violation};
use crate::store::{
    AddError, PhoneNote, PhoneStub, PhoneStubs, Reader, Result, StoreError, Touched, value::json,
};

const STUB: &str = "SELECT id, code, branch, arrived_at, grade, opened_by, opened_at, held_by, \
     complaint, joined_at FROM phone_stub";

type StubRow = (
    Uuid,
    String,
    String,
    i64,
    String,
    Uuid,
    i64,
    Uuid,
    Option<Uuid>,
    Option<i64>,
);

#[async_trait]
impl PhoneStubs for PostgresStore {
    async fn open_stub(&self, stub: &PhoneStub) -> Result<Uuid, AddError> {
        let mut tx = self.begin_tx().await?;
        let made = sqlx::query(
            "INSERT INTO phone_stub (id, code, branch, arrived_at, grade, opened_by, opened_at, \
             held_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(stub.id)
        .bind(stub.code.to_string())
        .bind(stub.branch.as_str())
        .bind(ms(stub.arrived_at))
        .bind(json(&stub.grade)?)
        .bind(stub.opened_by.0)
        .bind(ms(stub.opened_at))
        .bind(stub.held_by.0)
        .execute(&mut *tx)
        .await;
        made.map_err(|error| match is_foreign_key_violation(&error) {
            true => AddError::UnknownBranch,
            false => AddError::Store(failed(error)),
        })?;
        let open: Option<Uuid> = sqlx::query_scalar(
            "SELECT id FROM phone_stub WHERE branch = $1 AND code = $2 AND joined_at IS NULL FOR UPDATE",
        )
        .bind(stub.branch.as_str())
        .bind(stub.code.to_string())
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed)?;
        // The same call a second time, whose stub has found its record by now.
        let Some(id) = open else {
            return Ok(stub.id);
        };
        for note in &stub.notes {
            add_note(&mut tx, id, note).await?;
        }
        self.commit_telling(tx, touched()).await?;
        Ok(id)
    }

    async fn open_stubs(&self) -> Result<Vec<PhoneStub>> {
        let mut connection = self.connection().await?;
        let rows: Vec<StubRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{STUB} WHERE joined_at IS NULL ORDER BY arrived_at, id"
        )))
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
        let mut stubs = Vec::with_capacity(rows.len());
        for row in rows {
            let notes = notes(&mut connection, row.0).await?;
            stubs.push(stub(row, notes)?);
        }
        Ok(stubs)
    }

    async fn stub(&self, id: Uuid, reader: Reader) -> Result<Option<PhoneStub>> {
        let mut connection = self.connection().await?;
        let row: Option<StubRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{STUB} WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM kept_from AS barred \
                 WHERE barred.complaint = phone_stub.complaint AND staff = $2)"
        )))
        .bind(id)
        .bind(reader.staff())
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let notes = notes(&mut connection, id).await?;
        stub(row, notes).map(Some)
    }

    async fn add_stub_note(&self, id: Uuid, note: &PhoneNote) -> Result<bool> {
        let mut tx = self.begin_tx().await?;
        if !is_open(&mut tx, id).await? {
            return Ok(false);
        }
        add_note(&mut tx, id, note).await?;
        self.commit_telling(tx, touched()).await?;
        Ok(true)
    }

    async fn hold_stub(&self, id: Uuid, expert: StaffId) -> Result<bool> {
        let mut tx = self.begin_tx().await?;
        if !is_open(&mut tx, id).await? {
            return Ok(false);
        }
        sqlx::query("UPDATE phone_stub SET held_by = $1 WHERE id = $2")
            .bind(expert.0)
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        self.commit_telling(tx, touched()).await?;
        Ok(true)
    }

    async fn move_stub(
        &self,
        id: Uuid,
        branch: &BranchCode,
        note: &PhoneNote,
    ) -> Result<bool, AddError> {
        let mut tx = self.begin_tx().await?;
        if !is_open(&mut tx, id).await? {
            return Ok(false);
        }
        let moved = sqlx::query("UPDATE phone_stub SET branch = $1 WHERE id = $2")
            .bind(branch.as_str())
            .bind(id)
            .execute(&mut *tx)
            .await;
        moved.map_err(|error| {
            if is_foreign_key_violation(&error) {
                AddError::UnknownBranch
            } else if is_unique_violation(&error) {
                AddError::Exists
            } else {
                AddError::Store(failed(error))
            }
        })?;
        add_note(&mut tx, id, note).await?;
        self.commit_telling(tx, touched()).await?;
        Ok(true)
    }

    async fn close_stub(&self, id: Uuid, note: &PhoneNote) -> Result<bool> {
        let mut tx = self.begin_tx().await?;
        if !is_open(&mut tx, id).await? {
            return Ok(false);
        }
        add_note(&mut tx, id, note).await?;
        // Ended as one that is joined, with no record.
        sqlx::query("UPDATE phone_stub SET joined_at = $1 WHERE id = $2")
            .bind(ms(note.at))
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        self.commit_telling(tx, touched()).await?;
        Ok(true)
    }

    async fn join_stub(
        &self,
        id: Uuid,
        complaint: ComplaintId,
        notes: usize,
        at: DateTime<Utc>,
    ) -> Result<bool> {
        let mut tx = self.begin_tx().await?;
        let open = is_open(&mut tx, id).await?;
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM phone_note WHERE stub = $1")
            .bind(id)
            .fetch_one(&mut *tx)
            .await
            .map_err(failed)?;
        if !open || usize::try_from(there).ok() != Some(notes) {
            return Ok(false);
        }
        sqlx::query("UPDATE phone_stub SET complaint = $1, joined_at = $2 WHERE id = $3")
            .bind(complaint.0)
            .bind(ms(at))
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        self.commit_telling(tx, touched()).await?;
        Ok(true)
    }

    async fn arrived_since(
        &self,
        branch: &BranchCode,
        since: DateTime<Utc>,
    ) -> Result<Vec<ComplaintId>> {
        let mut connection = self.connection().await?;
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM complaint WHERE branch = $1 AND arrived_at >= $2 ORDER BY id",
        )
        .bind(branch.as_str())
        .bind(ms(since))
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
        Ok(ids.into_iter().map(ComplaintId).collect())
    }
}

fn touched() -> Touched {
    Touched {
        stubs: true,
        ..Touched::default()
    }
}

/// The stub stays locked, so that no note comes between its counting and its end.
async fn is_open(connection: &mut PgConnection, id: Uuid) -> Result<bool> {
    let open: Option<bool> =
        sqlx::query_scalar("SELECT joined_at IS NULL FROM phone_stub WHERE id = $1 FOR UPDATE")
            .bind(id)
            .fetch_optional(connection)
            .await
            .map_err(failed)?;
    Ok(open == Some(true))
}

async fn add_note(connection: &mut PgConnection, stub: Uuid, note: &PhoneNote) -> Result<()> {
    sqlx::query(
        "INSERT INTO phone_note (id, stub, at, by, text) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(note.id)
    .bind(stub)
    .bind(ms(note.at))
    .bind(note.by.0)
    .bind(&note.text)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

async fn notes(connection: &mut PgConnection, stub: Uuid) -> Result<Vec<PhoneNote>> {
    let rows: Vec<(Uuid, i64, Uuid, String)> =
        sqlx::query_as("SELECT id, at, by, text FROM phone_note WHERE stub = $1 ORDER BY at, id")
            .bind(stub)
            .fetch_all(connection)
            .await
            .map_err(failed)?;
    rows.into_iter()
        .map(|(id, at, by, text)| {
            Ok(PhoneNote {
                id,
                at: time(at)?,
                by: StaffId(by),
                text,
            })
        })
        .collect()
}

fn stub(row: StubRow, notes: Vec<PhoneNote>) -> Result<PhoneStub> {
    let (id, code, of, arrived_at, grade, opened_by, opened_at, held_by, complaint, joined_at) =
        row;
    let code = code
        .parse()
        .map_err(|_| StoreError::Damaged("a telephone code".into()))?;
    let joined_at = joined_at.map(time).transpose()?;
    Ok(PhoneStub {
        id,
        code,
        branch: branch(of)?,
        arrived_at: time(arrived_at)?,
        grade: parsed(&grade)?,
        opened_by: StaffId(opened_by),
        opened_at: time(opened_at)?,
        held_by: StaffId(held_by),
        joined: complaint.map(ComplaintId).zip(joined_at),
        closed_at: joined_at.filter(|_| complaint.is_none()),
        notes,
    })
}
