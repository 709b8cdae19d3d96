//! What is learned from and what came of it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use suda_domain::{BranchCode, Complaint, ComplaintId, LedgerEvent, StaffId};
use suda_sync::evidence::sha256;
use uuid::Uuid;

use super::directory::{bump_directory, find_setting, put_setting};
use super::value::{branch, count, json, ms, number, parsed, time};
use super::{PostgresStore, Tx, failed};
use crate::store::checks::fault;
use crate::store::learning::{
    ConfirmedCase, Effect, HANDOFFS, HandledCase, LearningState, LearningStore, MODELS_KEPT,
    NewTraining, REPORTS_KEPT, Training,
};
use crate::store::{Fault, Reader, Result};

type CaseRow = (Uuid, String, String, String, String, i64, String);

#[async_trait]
impl LearningStore for PostgresStore {
    async fn confirmed_cases(&self, limit: u32, reader: Reader) -> Result<Vec<ConfirmedCase>> {
        let mut connection = self.connection().await?;
        let rows: Vec<CaseRow> = sqlx::query_as(
            "SELECT id, held #>> '{intake,category}', held #>> '{intake,remedy_sought}', \
             held #>> '{intake,description}', held #>> '{marks,answered_at}', \
             (held ->> 'cycle')::bigint, held #>> '{intake,name}' \
             FROM (SELECT id, state, body::jsonb AS held FROM complaint OFFSET 0) AS complaint \
             WHERE state IN ('answered', 'closed', 'archived') \
             AND held #>> '{marks,answered_at}' IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM forgotten WHERE forgotten.complaint = complaint.id) \
             AND NOT EXISTS (SELECT 1 FROM kept_from AS barred \
               WHERE barred.complaint = complaint.id AND staff = $2) \
             ORDER BY (held #>> '{marks,answered_at}') COLLATE \"C\" DESC, id LIMIT $1",
        )
        .bind(i64::from(limit))
        .bind(reader.staff())
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
        let cases = rows.into_iter();
        let cases = cases.map(|(id, category, remedy, description, at, cycle, name)| {
            ConfirmedCase::of(id, category, [remedy, description], &at, (cycle, name))
        });
        cases.collect()
    }

    async fn handled_cases(&self, limit: u32, reader: Reader) -> Result<Vec<HandledCase>> {
        let mut connection = self.connection().await?;
        let mut bodies = sqlx::query_scalar::<_, String>(
            "SELECT body FROM complaint WHERE (state IN ('answered', 'closed', 'archived') \
               OR (body::jsonb ->> 'cycle')::bigint > 1) \
             AND NOT EXISTS (SELECT 1 FROM forgotten WHERE forgotten.complaint = complaint.id) \
             AND NOT EXISTS (SELECT 1 FROM kept_from AS barred \
               WHERE barred.complaint = complaint.id AND staff = $2) \
             ORDER BY (body::jsonb ->> 'arrived_at') COLLATE \"C\" DESC, id LIMIT $1",
        )
        .bind(i64::from(limit))
        .bind(reader.staff())
        .fetch(&mut *connection);
        // One after the other: a case is a tenth of its complaint.
        let mut cases = Vec::new();
        while let Some(body) = bodies.try_next().await.map_err(failed)? {
            cases.push(parsed::<Complaint>(&body)?.into());
        }
        Ok(cases)
    }

    async fn handoff_model(&self) -> Result<Option<Value>> {
        let mut connection = self.connection().await?;
        let kept = find_setting::<Option<Value>>(&mut connection, HANDOFFS).await?;
        Ok(kept.flatten())
    }

    async fn assessments(&self, lines: u32) -> Result<Vec<(BranchCode, LedgerEvent)>> {
        let mut reader = self.connection().await?;
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT branch, body FROM log \
             WHERE seq > (SELECT coalesce(max(seq), 0) FROM log) - $1 \
             AND strpos(body, '\"kind\":\"assessed\"') > 0 ORDER BY seq",
        )
        .bind(i64::from(lines))
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        let one = |(of, body): (String, String)| Ok((branch(of)?, parsed(&body)?));
        rows.into_iter().map(one).collect()
    }

    async fn learning(&self) -> Result<LearningState> {
        let mut reader = self.connection().await?;
        state(&mut reader).await
    }

    async fn begin_training(
        &self,
        holder: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        let mut tx = self.begin_tx().await?;
        make_row(&mut tx).await?;
        let begun = sqlx::query(
            "UPDATE learning SET holder = $1, busy_until = $2 \
             WHERE busy_until IS NULL OR busy_until <= $3",
        )
        .bind(holder)
        .bind(ms(until))
        .bind(ms(now))
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(begun.rows_affected() > 0)
    }

    async fn end_training(&self, holder: Uuid, training: &NewTraining) -> Result<Option<u32>> {
        let mut tx = self.begin_tx().await?;
        let preview = training.report.preview;
        let at = (!preview).then(|| ms(training.at));
        let held = sqlx::query(
            "UPDATE learning SET holder = NULL, busy_until = NULL, last_at = coalesce($2::bigint, last_at) \
             WHERE holder = $1",
        )
        .bind(holder)
        .bind(at)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        if held.rows_affected() == 0 {
            return Ok(None);
        }
        let version: i64 = sqlx::query_scalar(
            "INSERT INTO training (version, at, asked_by, report) \
             SELECT coalesce(max(version), 0) + 1, $1::bigint, $2::uuid, $3::text FROM training RETURNING version",
        )
        .bind(ms(training.at))
        .bind(training.asked_by.map(|staff| staff.0))
        .bind(json(&training.report)?)
        .fetch_one(&mut *tx)
        .await
        .map_err(failed)?;
        match &training.effect {
            Effect::Nothing => {}
            Effect::RollOut(model) => {
                sqlx::query("INSERT INTO model (version, sha256, data) VALUES ($1, $2, $3)")
                    .bind(version)
                    .bind(sha256(model).to_string())
                    .bind(model)
                    .execute(&mut *tx)
                    .await
                    .map_err(failed)?;
                put_in_force(&mut tx, Some(version), training.read_at).await?;
            }
            Effect::Withdraw => put_in_force(&mut tx, None, training.read_at).await?,
        }
        let kept = training.handoffs.to_keep(number(version)?);
        if let Some(kept) = &kept {
            put_setting(&mut tx, HANDOFFS, kept).await?;
            bump_directory(&mut tx).await?;
        }
        prune(&mut tx, version).await?;
        match training.effect == Effect::Nothing && kept.is_none() {
            true => tx.commit().await.map_err(failed)?,
            false => self.commit_directory(tx).await?,
        }
        Ok(Some(number(version)?))
    }

    async fn trainings(&self, limit: u32) -> Result<Vec<Training>> {
        let mut reader = self.connection().await?;
        let rows: Vec<(i64, i64, Option<Uuid>, String, bool)> = sqlx::query_as(
            "SELECT version, at, asked_by, report, \
             EXISTS (SELECT 1 FROM model WHERE model.version = training.version) \
             FROM training ORDER BY version DESC LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        let one = |(version, at, asked_by, report, has_model): (_, _, Option<Uuid>, String, _)| {
            Ok(Training {
                version: number(version)?,
                at: time(at)?,
                asked_by: asked_by.map(StaffId),
                report: parsed(&report)?,
                has_model,
            })
        };
        rows.into_iter().map(one).collect()
    }

    async fn model(&self, version: u32) -> Result<Option<Vec<u8>>> {
        let mut reader = self.connection().await?;
        sqlx::query_scalar("SELECT data FROM model WHERE version = $1")
            .bind(i64::from(version))
            .fetch_optional(&mut *reader)
            .await
            .map_err(failed)
    }

    async fn use_model(&self, version: Option<u32>) -> Result<bool> {
        let mut tx = self.begin_tx().await?;
        make_row(&mut tx).await?;
        let version = version.map(i64::from);
        let kept: bool = sqlx::query_scalar(
            "SELECT $1::bigint IS NULL OR EXISTS (SELECT 1 FROM model WHERE version = $1)",
        )
        .bind(version)
        .fetch_one(&mut *tx)
        .await
        .map_err(failed)?;
        if !kept {
            return Ok(false);
        }
        sqlx::query("UPDATE learning SET in_force = $1")
            .bind(version)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        bump_directory(&mut tx).await?;
        self.commit_directory(tx).await?;
        Ok(true)
    }

    async fn forget_case(&self, id: ComplaintId, at: DateTime<Utc>) -> Result<bool> {
        let mut tx = self.begin_tx().await?;
        make_row(&mut tx).await?;
        let there: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM complaint WHERE id = $1)")
                .bind(id.0)
                .fetch_one(&mut *tx)
                .await
                .map_err(failed)?;
        if !there {
            return Ok(false);
        }
        let new = sqlx::query(
            "INSERT INTO forgotten (complaint, at) VALUES ($1, $2) ON CONFLICT (complaint) DO NOTHING",
        )
        .bind(id.0)
        .bind(ms(at))
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        if new.rows_affected() > 0 {
            sqlx::query("UPDATE learning SET to_retrain = true")
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
        }
        tx.commit().await.map_err(failed)?;
        Ok(true)
    }

    async fn forgotten(&self) -> Result<u64> {
        let mut reader = self.connection().await?;
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM forgotten")
            .fetch_one(&mut *reader)
            .await
            .map_err(failed)?;
        Ok(count(rows))
    }
}

async fn make_row(tx: &mut Tx<'_>) -> Result<()> {
    sqlx::query("INSERT INTO learning (one) VALUES (1) ON CONFLICT (one) DO NOTHING")
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Another model, or none. When texts were to be forgotten, no earlier model
/// can be gone back to, and those of since the cases were read are still to be.
async fn put_in_force(tx: &mut Tx<'_>, version: Option<i64>, read_at: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "DELETE FROM model WHERE ($1::bigint IS NULL OR version < $1) \
         AND (SELECT to_retrain FROM learning)",
    )
    .bind(version)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    sqlx::query(
        "UPDATE learning SET in_force = $1, \
         to_retrain = to_retrain AND EXISTS (SELECT 1 FROM forgotten WHERE at >= $2)",
    )
    .bind(version)
    .bind(ms(read_at))
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    bump_directory(tx).await
}

/// Keeps what can be gone back to and what is shown.
async fn prune(tx: &mut Tx<'_>, newest: i64) -> Result<()> {
    sqlx::query(
        "DELETE FROM model WHERE version NOT IN \
         (SELECT version FROM model ORDER BY version DESC LIMIT $1) \
         AND version IS DISTINCT FROM (SELECT in_force FROM learning)",
    )
    .bind(i64::from(MODELS_KEPT))
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    sqlx::query(
        "DELETE FROM training WHERE version <= $1 AND version NOT IN (SELECT version FROM model)",
    )
    .bind(newest - i64::from(REPORTS_KEPT))
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}

/// The model in force, until when somebody trains, when it was trained last, and
/// whether it is to be trained anew.
type StateRow = (Option<i64>, Option<i64>, Option<i64>, bool);

async fn state(connection: &mut PgConnection) -> Result<LearningState> {
    let row: Option<StateRow> =
        sqlx::query_as("SELECT in_force, busy_until, last_at, to_retrain FROM learning")
            .fetch_optional(connection)
            .await
            .map_err(failed)?;
    let Some((in_force, busy_until, last_at, to_retrain)) = row else {
        return Ok(LearningState::default());
    };
    Ok(LearningState {
        in_force: in_force.map(number).transpose()?,
        busy_until: busy_until.map(time).transpose()?,
        last_at: last_at.map(time).transpose()?,
        to_retrain,
    })
}

/// Compares the models with their hashes.
pub async fn check(connection: &mut PgConnection) -> Result<Option<Fault>> {
    let mut models =
        sqlx::query_as::<_, (i64, String, Vec<u8>)>("SELECT version, sha256, data FROM model")
            .fetch(connection);
    while let Some((version, named, data)) = models.try_next().await.map_err(failed)? {
        if sha256(&data).to_string() != named {
            return Ok(Some(fault(
                format!("model {version}"),
                "its bytes are not those that were learned",
            )));
        }
    }
    Ok(None)
}
