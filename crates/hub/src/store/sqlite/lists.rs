//! Work orders, tasks, search and figures.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, Sqlite};
use suda_domain::duty::{DutyKind, Holder};
use suda_domain::escalation::Level;
use suda_domain::{ComplaintId, StaffId, State, TaskId};
use uuid::Uuid;

use super::barred::unless_barred;
use super::ledger::held;
use super::value::{count, ms, parsed, time};
use super::{SqliteStore, begin, failed};
use crate::store::row::{FINISHED, words};
use crate::store::{
    After, Counts, DutyHeld, Handoffs, Held, Lists, Reader, Result, Scope, StoreError, TaskHeld,
    ToEscalate, Told, View,
};

/// Every list of complaints reads the same two columns.
pub(super) const SELECT: &str = "SELECT complaint.body, lease.until FROM complaint LEFT JOIN lease ON lease.complaint = complaint.id ";

#[async_trait]
impl Lists for SqliteStore {
    async fn work_orders(
        &self,
        view: View,
        after: Option<After>,
        limit: u32,
        reader: Reader,
    ) -> Result<Vec<Held>> {
        let mut query = QueryBuilder::<Sqlite>::new(SELECT);
        match view {
            View::Queue => query.push("WHERE in_queue = 1"),
            View::Mine(expert) => query.push("WHERE claimed_by = ").push_bind(expert.0),
            View::Team => query.push("WHERE with_team = 1"),
            View::All(Some(branch)) => query
                .push("WHERE branch = ")
                .push_bind(String::from(branch)),
            View::All(None) => query.push("WHERE 1"),
        };
        unless_barred(&mut query, reader);
        if let Some(After { rank, due, id }) = after {
            query.push(" AND (rank, due, id) > (").push_bind(rank);
            query
                .push(", ")
                .push_bind(due)
                .push(", ")
                .push_bind(id)
                .push(")");
        }
        query
            .push(" ORDER BY rank, due, id LIMIT ")
            .push_bind(i64::from(limit));
        self.read_held(query).await
    }

    async fn tasks(
        &self,
        department: StaffId,
        open: bool,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: u32,
    ) -> Result<Vec<TaskHeld>> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT task.body, complaint.body FROM task JOIN complaint ON complaint.id = task.complaint \
             WHERE department = ",
        );
        query
            .push_bind(department.0)
            .push(" AND is_open = ")
            .push_bind(open);
        unless_barred(&mut query, Reader::Person(department));
        if let Some((due, id)) = after {
            query.push(" AND (due_at, task.id) > (").push_bind(ms(due));
            query.push(", ").push_bind(id).push(")");
        }
        query
            .push(" ORDER BY due_at, task.id LIMIT ")
            .push_bind(i64::from(limit));
        let mut reader = self.reader().await?;
        let rows: Vec<(String, String)> = query
            .build_query_as()
            .fetch_all(&mut *reader)
            .await
            .map_err(failed)?;
        rows.into_iter()
            .map(|(task, complaint)| {
                Ok(TaskHeld {
                    task: parsed(&task)?,
                    complaint: parsed(&complaint)?,
                })
            })
            .collect()
    }

    async fn duties(
        &self,
        holders: &[Holder],
        limit: u32,
        reader: Reader,
    ) -> Result<Vec<DutyHeld>> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT kind, item, at, complaint.body FROM duty \
             JOIN complaint ON complaint.id = duty.complaint WHERE holder IN (",
        );
        let mut listed = query.separated(", ");
        for holder in holders {
            listed.push_bind(holder.to_string());
        }
        query.push(")");
        unless_barred(&mut query, reader);
        query
            .push(" ORDER BY at, duty.complaint, kind, item LIMIT ")
            .push_bind(i64::from(limit));
        let mut connection = self.reader().await?;
        let rows: Vec<(String, Uuid, i64, String)> = query
            .build_query_as()
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
        let rows = rows.into_iter().map(|(kind, item, at, body)| {
            let known = DutyKind::from_name(&kind);
            Ok(DutyHeld {
                kind: known.ok_or_else(|| StoreError::Damaged(format!("no duty is {kind}")))?,
                item,
                at: time(at)?,
                complaint: parsed(&body)?,
            })
        });
        rows.collect()
    }

    async fn call_backs(&self) -> Result<Vec<(StaffId, u64)>> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT holder, count(*) FROM duty WHERE kind = 'call_back' GROUP BY holder",
        )
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(failed)?;
        let of_staff = rows.into_iter().filter_map(|(holder, number)| {
            let id = holder.strip_prefix("staff:")?;
            Some((id.parse().ok()?, count(number)))
        });
        Ok(of_staff.collect())
    }

    async fn with_barred(&self, limit: u32) -> Result<Vec<(ComplaintId, StaffId)>> {
        // Those who are barred first: they are few, tasks and duties are many.
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT DISTINCT kept.complaint, kept.staff FROM all_kept_from AS kept WHERE \
             EXISTS (SELECT 1 FROM task WHERE task.complaint = kept.complaint \
                 AND task.department = kept.staff AND task.is_open = 1) \
             OR EXISTS (SELECT 1 FROM duty WHERE duty.complaint = kept.complaint \
                 AND unhex(replace(substr(duty.holder, 7), '-', '')) = kept.staff AND duty.holder LIKE 'staff:%') LIMIT ?",
        )
        .bind(i64::from(limit))
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(failed)?;
        let pairs = rows.into_iter();
        Ok(pairs
            .map(|(id, staff)| (ComplaintId(id), StaffId(staff)))
            .collect())
    }

    async fn complaint_of_task(
        &self,
        task: TaskId,
        department: StaffId,
    ) -> Result<Option<ComplaintId>> {
        let id: Option<Uuid> = sqlx::query_scalar(
            "SELECT complaint FROM task WHERE id = ?1 AND department = ?2 AND NOT EXISTS \
                 (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = task.complaint AND staff = ?2)",
        )
        .bind(task.0)
        .bind(department.0)
        .fetch_optional(&mut *self.reader().await?)
        .await
        .map_err(failed)?;
        Ok(id.map(ComplaintId))
    }

    async fn search(
        &self,
        words: &[String],
        scope: &Scope,
        limit: u32,
        reader: Reader,
    ) -> Result<Vec<Held>> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        // Quoted, a word has no meaning to the query language; the last may be unfinished.
        let mut asked: Vec<_> = words
            .iter()
            .map(|word| format!("\"{}\"", word.replace('"', "")))
            .collect();
        if let Some(last) = asked.last_mut() {
            last.push('*');
        }
        let mut query = QueryBuilder::<Sqlite>::new(SELECT);
        query
            .push(
                "JOIN indexed ON indexed.complaint = complaint.id \
                 WHERE indexed.rowid IN (SELECT rowid FROM complaint_text WHERE words MATCH ",
            )
            .push_bind(asked.join(" "))
            .push(")");
        match scope {
            Scope::Everything => {}
            Scope::Branch(branch) => {
                query
                    .push(" AND branch = ")
                    .push_bind(branch.as_str().to_owned());
            }
            Scope::Department(department) => {
                query
                    .push(" AND EXISTS (SELECT 1 FROM task WHERE task.complaint = complaint.id AND department = ")
                    .push_bind(department.0)
                    .push(")");
            }
        }
        unless_barred(&mut query, reader);
        query
            .push(" ORDER BY arrived_at DESC, id LIMIT ")
            .push_bind(i64::from(limit));
        self.read_held(query).await
    }

    async fn counts(&self) -> Result<Counts> {
        let mut reader = self.reader().await?;
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT branch, state, count(*) FROM complaint GROUP BY branch, state")
                .fetch_all(&mut *reader)
                .await
                .map_err(failed)?;
        let mut by_state = BTreeMap::new();
        let mut open_by_branch = BTreeMap::new();
        for (branch, name, number) in rows {
            let state = State::from_name(&name)
                .ok_or_else(|| StoreError::Damaged(format!("{name} is not a state")))?;
            *by_state.entry(state).or_default() += count(number);
            let open = open_by_branch.entry(branch).or_default();
            if !state.is_finished() {
                *open += count(number);
            }
        }
        let (devices, events, quarantined): (i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM device), (SELECT coalesce(max(seq), 0) FROM log), \
             (SELECT count(*) FROM quarantine WHERE resolved_at IS NULL)",
        )
        .fetch_one(&mut *reader)
        .await
        .map_err(failed)?;
        Ok(Counts {
            by_state,
            open_by_branch,
            devices: count(devices),
            events: count(events),
            quarantined: count(quarantined),
        })
    }

    async fn overdue(
        &self,
        now: DateTime<Utc>,
        limit: u32,
        reader: Reader,
    ) -> Result<(u64, Vec<Held>)> {
        let total: i64 =
            sqlx::query_scalar("SELECT count(*) FROM complaint WHERE rank < ? AND due < ?")
                .bind(FINISHED)
                .bind(ms(now))
                .fetch_one(&mut *self.reader().await?)
                .await
                .map_err(failed)?;
        let mut query = QueryBuilder::<Sqlite>::new(SELECT);
        query
            .push("WHERE rank < ")
            .push_bind(FINISHED)
            .push(" AND due < ")
            .push_bind(ms(now));
        unless_barred(&mut query, reader);
        query
            .push(" ORDER BY rank, due, id LIMIT ")
            .push_bind(i64::from(limit));
        Ok((count(total), self.read_held(query).await?))
    }

    async fn alerts(&self, limit: u32, reader: Reader) -> Result<Vec<Held>> {
        let mut query = QueryBuilder::<Sqlite>::new(SELECT);
        query.push("WHERE alert_pending = 1");
        unless_barred(&mut query, reader);
        query
            .push(" ORDER BY id LIMIT ")
            .push_bind(i64::from(limit));
        self.read_held(query).await
    }

    async fn to_escalate(
        &self,
        now: DateTime<Utc>,
        after: Option<ToEscalate>,
        limit: u32,
    ) -> Result<Vec<ToEscalate>> {
        let after = after.map_or((i64::MIN, Uuid::nil()), |one| (one.at_ms, one.complaint.0));
        let rows: Vec<(i64, Uuid)> = sqlx::query_as(
            "SELECT tell_at, id FROM complaint WHERE tell_at IS NOT NULL AND tell_at <= ? \
             AND (tell_at, id) > (?, ?) ORDER BY tell_at, id LIMIT ?",
        )
        .bind(ms(now))
        .bind(after.0)
        .bind(after.1)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(failed)?;
        let rows = rows.into_iter().map(|(at_ms, id)| ToEscalate {
            at_ms,
            complaint: ComplaintId(id),
        });
        Ok(rows.collect())
    }

    async fn escalated(&self, told: &Told, limit: u32, reader: Reader) -> Result<Vec<Held>> {
        let mut query = QueryBuilder::<Sqlite>::new(SELECT);
        // In so many words, so that the index of those told is used.
        query.push("WHERE told > 0 AND ");
        match told {
            Told::Management => query
                .push("told >= ")
                .push_bind(i64::from(Level::Copy.number())),
            Told::Expert(expert) => query
                .push("(in_queue = 1 OR claimed_by = ")
                .push_bind(expert.0)
                .push(")"),
            Told::Branch(branch) => query.push("branch = ").push_bind(branch.to_string()),
            Told::Department(department) => query
                .push("EXISTS (SELECT 1 FROM task WHERE task.complaint = complaint.id AND task.is_open = 1 AND task.department = ")
                .push_bind(department.0)
                .push(")"),
        };
        unless_barred(&mut query, reader);
        query
            .push(" ORDER BY told DESC, due, id LIMIT ")
            .push_bind(i64::from(limit));
        self.read_held(query).await
    }

    async fn handoffs_since(&self, since: DateTime<Utc>) -> Result<Handoffs> {
        let (in_time, late, of_the_past): (i64, i64, i64) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE queued_at <= handoff_due), \
             count(*) FILTER (WHERE queued_at > handoff_due), \
             count(*) FILTER (WHERE handoff_due IS NULL) FROM complaint WHERE queued_at >= ?",
        )
        .bind(ms(since))
        .fetch_one(&mut *self.reader().await?)
        .await
        .map_err(failed)?;
        Ok(Handoffs {
            in_time: count(in_time),
            late: count(late),
            of_the_past: count(of_the_past),
        })
    }

    async fn index_texts(&self, limit: u32) -> Result<u64> {
        let waiting: Vec<(Uuid, String)> = sqlx::query_as(
            "SELECT id, body FROM to_index JOIN complaint ON id = to_index.complaint \
             ORDER BY id LIMIT ?",
        )
        .bind(i64::from(limit))
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(failed)?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let mut texts = Vec::with_capacity(waiting.len());
        for (id, body) in waiting {
            texts.push((id, words(&parsed(&body)?).join(" "), body));
        }
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        for (id, words, body) in &texts {
            let rowid: i64 = sqlx::query_scalar(
                "INSERT INTO indexed (complaint) VALUES (?) \
                 ON CONFLICT DO UPDATE SET complaint = excluded.complaint RETURNING rowid",
            )
            .bind(id)
            .fetch_one(&mut *tx)
            .await
            .map_err(failed)?;
            sqlx::query("INSERT OR REPLACE INTO complaint_text (rowid, words) VALUES (?, ?)")
                .bind(rowid)
                .bind(words)
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
            // Changed since it was read: it stays on the list.
            sqlx::query(
                "DELETE FROM to_index WHERE complaint = ?1 \
                 AND EXISTS (SELECT 1 FROM complaint WHERE id = ?1 AND body = ?2)",
            )
            .bind(id)
            .bind(body)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        }
        tx.commit().await.map_err(failed)?;
        Ok(texts.len() as u64)
    }
}

impl SqliteStore {
    pub(super) async fn read_held(&self, mut query: QueryBuilder<Sqlite>) -> Result<Vec<Held>> {
        let mut reader = self.reader().await?;
        let rows: Vec<(String, Option<i64>)> = query
            .build_query_as()
            .fetch_all(&mut *reader)
            .await
            .map_err(failed)?;
        rows.into_iter().map(held).collect()
    }
}
