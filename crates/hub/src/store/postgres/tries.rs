//! Tallies of failed tries, one place for all processes. What is lost with a
//! crash of the server is forgiven; nobody waits for a disk here.

use std::collections::HashMap;

use async_trait::async_trait;

use super::value::{ms, number, time};
use super::{LOCK_TALLY, PostgresStore, failed};
use crate::store::Result;
use crate::store::tries::{Recount, Tally, Tries};

#[async_trait]
impl Tries for PostgresStore {
    async fn recount(&self, names: Vec<String>, recount: Recount) -> Result<()> {
        let mut tx = self.begin_tx().await?;
        // The rows may not be there yet, so it is the first name that is locked
        // and not its row.
        let locked = names.first().map(String::as_str).unwrap_or_default();
        sqlx::query(
            "SELECT set_config('synchronous_commit', 'off', true), \
             pg_advisory_xact_lock($1, hashtext($2))",
        )
        .bind(LOCK_TALLY)
        .bind(locked)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        // A statement of its own: one begun before the lock was had would see
        // what stood there before.
        let rows: Vec<(String, i64, i64, i64)> =
            sqlx::query_as("SELECT name, failed, allowed, at FROM tally WHERE name = ANY($1)")
                .bind(&names)
                .fetch_all(&mut *tx)
                .await
                .map_err(failed)?;
        let mut known = HashMap::new();
        for (name, failures, allowed, at) in rows {
            let tally = Tally {
                failed: number(failures)?,
                allowed: number(allowed)?,
                at: time(at)?,
            };
            known.insert(name, tally);
        }
        let of = |name| known.get(name).copied().unwrap_or_default();
        let before: Vec<Tally> = names.iter().map(of).collect();
        let mut after = before.clone();
        if !recount(&mut after) {
            return Ok(());
        }
        let changed = names.iter().zip(before.iter().zip(&after));
        let changed = changed.filter(|(_, (before, after))| before != after);
        let (gone, kept): (Vec<_>, Vec<_>) =
            changed.partition(|(_, (_, after))| after.failed == 0 && after.allowed == 0);
        if !gone.is_empty() {
            sqlx::query("DELETE FROM tally WHERE name = ANY($1)")
                .bind(gone.iter().map(|(name, _)| *name).collect::<Vec<_>>())
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
        }
        if !kept.is_empty() {
            let all = || kept.iter().map(|(_, (_, after))| after);
            sqlx::query(
                "INSERT INTO tally (name, failed, allowed, at) SELECT * FROM \
                 unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) \
                 ON CONFLICT (name) DO UPDATE SET failed = excluded.failed, \
                 allowed = excluded.allowed, at = excluded.at",
            )
            .bind(kept.iter().map(|(name, _)| *name).collect::<Vec<_>>())
            .bind(all().map(|t| i64::from(t.failed)).collect::<Vec<_>>())
            .bind(all().map(|t| i64::from(t.allowed)).collect::<Vec<_>>())
            .bind(all().map(|t| ms(t.at)).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        }
        tx.commit().await.map_err(failed)
    }
}
