//! What desks counted of each day.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use suda_domain::DeviceId;
use suda_sync::statistics::{DayTaken, DayTotals};
use uuid::Uuid;

use super::value::{count, int, json, ms, parsed, time};
use super::{PostgresStore, failed};
use crate::store::Result;
use crate::store::statistics::{DayHeld, StatisticsStore};

#[async_trait]
impl StatisticsStore for PostgresStore {
    async fn put_days(
        &self,
        device: DeviceId,
        days: &[DayTotals],
        now: DateTime<Utc>,
    ) -> Result<Vec<DayTaken>> {
        let mut tx = self.begin_tx().await?;
        let mut taken = Vec::with_capacity(days.len());
        for day in days {
            sqlx::query(
                "INSERT INTO desk_day (device, day, incarnation, revision, body, received_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (device, day, incarnation) DO UPDATE SET \
                 revision = excluded.revision, body = excluded.body, \
                 received_at = excluded.received_at WHERE desk_day.revision < excluded.revision",
            )
            .bind(device.0)
            .bind(day.name.day.to_string())
            .bind(i64::from(day.name.incarnation))
            .bind(int(day.revision))
            .bind(json(day)?)
            .bind(ms(now))
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
            let held: i64 = sqlx::query_scalar(
                "SELECT revision FROM desk_day WHERE device = $1 AND day = $2 AND incarnation = $3",
            )
            .bind(device.0)
            .bind(day.name.day.to_string())
            .bind(i64::from(day.name.incarnation))
            .fetch_one(&mut *tx)
            .await
            .map_err(failed)?;
            taken.push(DayTaken {
                name: day.name,
                revision: count(held),
            });
        }
        tx.commit().await.map_err(failed)?;
        Ok(taken)
    }

    async fn days_since(&self, since: NaiveDate) -> Result<Vec<DayHeld>> {
        let mut reader = self.connection().await?;
        let rows: Vec<(Uuid, String, i64)> = sqlx::query_as(
            "SELECT d.device, d.body, d.received_at FROM \
             (SELECT device, day, incarnation FROM desk_day WHERE day >= $1 UNION \
              SELECT last.device, last.day, last.incarnation FROM device \
              JOIN desk_day AS last ON last.device = device.id AND last.day = \
              (SELECT max(day) FROM desk_day WHERE desk_day.device = device.id)) AS named \
             JOIN desk_day AS d ON d.device = named.device AND d.day = named.day \
             AND d.incarnation = named.incarnation ORDER BY d.device, d.day, d.incarnation",
        )
        .bind(since.to_string())
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        let held = |(device, body, at): (Uuid, String, i64)| {
            Ok(DayHeld {
                device: DeviceId(device),
                totals: parsed(&body)?,
                received_at: time(at)?,
            })
        };
        rows.into_iter().map(held).collect()
    }
}
