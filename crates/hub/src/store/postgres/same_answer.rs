//! What answers gave and by which guidance.

use std::collections::BTreeSet;

use async_trait::async_trait;
use suda_domain::ComplaintId;
use suda_domain::guidance::Guidance;
use uuid::Uuid;

use super::value::{count, int, number, parsed, time};
use super::{PostgresStore, failed};
use crate::store::alarms::LINES_AT_ONCE;
use crate::store::same_answer::{AnswersTold, GuidanceVersion, SameAnswerStore};
use crate::store::{Reader, Result};

#[async_trait]
impl SameAnswerStore for PostgresStore {
    async fn answers_after(&self, after: u64) -> Result<AnswersTold> {
        let mut reader = self.connection().await?;
        let last: i64 = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM log")
            .fetch_one(&mut *reader)
            .await
            .map_err(failed)?;
        let last = count(last);
        // Less than was looked at before: the hub was put back.
        let cursor = (after + LINES_AT_ONCE).min(last);
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT l.body, c.body FROM log AS l JOIN complaint AS c ON c.id = l.complaint \
             WHERE l.seq > $1 AND l.seq <= $2 \
             AND (strpos(l.body, '\"kind\":\"settled\"') > 0 \
             OR strpos(l.body, '\"kind\":\"answered\"') > 0) ORDER BY l.seq",
        )
        .bind(int(after))
        .bind(int(cursor))
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        let answers = rows
            .into_iter()
            .map(|(event, complaint)| Ok((parsed(&event)?, parsed(&complaint)?)));
        Ok(AnswersTold {
            answers: answers.collect::<Result<_>>()?,
            cursor,
            more: cursor < last,
        })
    }

    async fn guidance_versions(&self) -> Result<Vec<GuidanceVersion>> {
        let rows: Vec<(String, i64, String, String, Option<i64>, i64)> = sqlx::query_as(
            "SELECT category, version, title, text, limit_minor, approved_at FROM guidance \
             ORDER BY category, version",
        )
        .fetch_all(&mut *self.connection().await?)
        .await
        .map_err(failed)?;
        let versions = rows.into_iter();
        let versions = versions.map(|(category, version, title, text, limit_minor, since)| {
            Ok(GuidanceVersion {
                guidance: Guidance {
                    category,
                    version: number(version)?,
                    title,
                    text,
                    limit_minor,
                },
                since: time(since)?,
            })
        });
        versions.collect()
    }

    async fn barred_from(&self, reader: Reader) -> Result<BTreeSet<ComplaintId>> {
        let Some(staff) = reader.staff() else {
            return Ok(BTreeSet::new());
        };
        let ids: Vec<Uuid> = sqlx::query_scalar("SELECT complaint FROM kept_from WHERE staff = $1")
            .bind(staff)
            .fetch_all(&mut *self.connection().await?)
            .await
            .map_err(failed)?;
        Ok(ids.into_iter().map(ComplaintId).collect())
    }
}
