//! A database put back to an earlier moment: the hub needs a new epoch, so
//! that desks send again what it forgot, and a new incarnation, so that its
//! numbers are not given twice.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::directory::{HubPlace, place, put_place};
use super::{LOCK_SERVING, LOCK_SPACE, OpenError, PostgresStore, failed};
use crate::store::Result;
use crate::store::sms::HELD_BACK;

impl PostgresStore {
    /// Gives the new incarnation. Refused while a process serves from here.
    /// Everybody has to sign in again, and unused enrolment codes are void.
    pub async fn renew(&self, epoch: String, now: DateTime<Utc>) -> Result<u32, OpenError> {
        let mut tx = self.begin_tx().await?;
        if !have_alone(&mut tx).await? {
            return Err(OpenError::Serving);
        }
        let before = place(&mut tx).await?;
        let renewed = HubPlace {
            incarnation: before.incarnation + 1,
            epoch,
            restored_at: Some(now),
            ..before
        };
        put_place(&mut tx, &renewed).await?;
        for sql in [
            "DELETE FROM web_session",
            "DELETE FROM enrol_code WHERE used_at IS NULL",
            HELD_BACK,
        ] {
            sqlx::query(sql).execute(&mut *tx).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)?;
        Ok(renewed.incarnation)
    }
}

/// Keeps those who would serve away until the end of the transaction; false
/// when one serves already.
pub async fn have_alone(connection: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1, $2)")
        .bind(LOCK_SPACE)
        .bind(LOCK_SERVING)
        .fetch_one(connection)
        .await
        .map_err(failed)
}
