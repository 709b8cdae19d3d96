//! Writing [`Changes`] into the tables, in few statements, because a batch of
//! a desk has to be stored in milliseconds.

use std::collections::HashMap;

use sqlx::{QueryBuilder, Sqlite, Transaction};
use suda_domain::calendar::Calendar;
use suda_domain::{ComplaintId, Origin, Policy};

use super::failed;
use super::value::{int, json, ms};
use crate::ingest::{Case, Changes, Head, SetAside};
use crate::pen::Entry;
use crate::store::checks::link;
use crate::store::row::Row;
use crate::store::{ARRIVED, REPEATED, Result, Touched};

type Tx<'t> = Transaction<'t, Sqlite>;

/// What a transaction applies changes with.
pub struct Applying<'a> {
    pub now_ms: i64,
    pub policy: &'a Policy,
    pub calendar: &'a Calendar,
}

impl Applying<'_> {
    pub async fn apply(&self, tx: &mut Tx<'_>, changes: &Changes) -> Result<Touched> {
        let last_seq = self.log(tx, &changes.entries).await?;
        self.cases(tx, &changes.cases, &last_seq).await?;
        for case in &changes.cases {
            if case.claim_changed {
                lease(tx, case).await?;
            }
            if case.tasks_changed {
                tasks(tx, case).await?;
            }
        }
        self.set_aside(tx, &changes.set_aside).await?;
        self.released(tx, &changes.released).await?;
        origins(tx, &changes.origins).await?;
        heads(tx, &changes.heads).await?;
        Ok(Touched::by(changes))
    }

    /// Appends to the log and gives each complaint's last number.
    async fn log(&self, tx: &mut Tx<'_>, entries: &[Entry]) -> Result<HashMap<ComplaintId, i64>> {
        let mut last_seq = HashMap::new();
        if entries.is_empty() {
            return Ok(last_seq);
        }
        let last: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT seq, chain FROM log ORDER BY seq DESC LIMIT 1")
                .fetch_optional(&mut **tx)
                .await
                .map_err(failed)?;
        let (mut seq, mut chain) = last.unwrap_or((0, vec![0; 32]));
        let mut lines = Vec::with_capacity(entries.len());
        for entry in entries {
            seq += 1;
            chain = link(&chain, &entry.sealed.hash.0);
            last_seq.insert(entry.complaint, seq);
            lines.push((seq, chain.clone(), entry));
        }
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO log (seq, branch, complaint, device, incarnation, lane, n, received_at, \
             body, prev, hash, chain) ",
        );
        query.push_values(lines, |mut line, (seq, chain, entry)| {
            line.push_bind(seq)
                .push_bind(entry.branch.as_str().to_owned())
                .push_bind(entry.complaint.0)
                .push_bind(entry.key.device.0)
                .push_bind(i64::from(entry.key.incarnation))
                .push_bind(i64::from(entry.key.lane.number()))
                .push_bind(int(entry.key.n))
                .push_bind(self.now_ms)
                .push_bind(entry.sealed.body.get().to_owned())
                .push_bind(entry.sealed.prev.0.to_vec())
                .push_bind(entry.sealed.hash.0.to_vec())
                .push_bind(chain);
        });
        query.build().execute(&mut **tx).await.map_err(failed)?;
        Ok(last_seq)
    }

    async fn cases(
        &self,
        tx: &mut Tx<'_>,
        cases: &[Case],
        last_seq: &HashMap<ComplaintId, i64>,
    ) -> Result<()> {
        if cases.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::with_capacity(cases.len());
        for case in cases {
            let complaint = &case.complaint;
            let row = Row::of(complaint, self.policy, self.calendar);
            let seq = last_seq.get(&complaint.id).copied().unwrap_or_default();
            rows.push((complaint, row, seq, json(complaint)?));
        }
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO complaint (id, reference, branch, state, rank, due, in_queue, with_team, \
             claimed_by, alert_pending, arrived_at, queued_at, handoff_due, updated_seq, body) ",
        );
        query.push_values(rows, |mut line, (complaint, row, seq, body)| {
            line.push_bind(complaint.id.0)
                .push_bind(complaint.reference.as_str().to_owned())
                .push_bind(complaint.branch.as_str().to_owned())
                .push_bind(complaint.state.name())
                .push_bind(row.rank)
                .push_bind(row.due)
                .push_bind(row.in_queue)
                .push_bind(row.with_team)
                .push_bind(row.claimed_by.map(|expert| expert.0))
                .push_bind(row.alert_pending)
                .push_bind(ms(complaint.arrived_at))
                .push_bind(row.queued_at.map(ms))
                .push_bind(row.handoff_due.map(ms))
                .push_bind(seq)
                .push_bind(body);
        });
        query.push(
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state, rank = excluded.rank, \
             due = excluded.due, in_queue = excluded.in_queue, with_team = excluded.with_team, \
             claimed_by = excluded.claimed_by, alert_pending = excluded.alert_pending, \
             arrived_at = excluded.arrived_at, queued_at = excluded.queued_at, \
             handoff_due = excluded.handoff_due, updated_seq = excluded.updated_seq, \
             body = excluded.body",
        );
        query.build().execute(&mut **tx).await.map_err(failed)?;

        let texts: Vec<_> = cases.iter().filter(|case| case.text_changed).collect();
        if !texts.is_empty() {
            let mut query =
                QueryBuilder::<Sqlite>::new("INSERT OR IGNORE INTO to_index (complaint) ");
            query.push_values(texts, |mut line, case| {
                line.push_bind(case.complaint.id.0);
            });
            query.build().execute(&mut **tx).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn released(&self, tx: &mut Tx<'_>, ids: &[i64]) -> Result<()> {
        for id in ids {
            sqlx::query("UPDATE quarantine SET resolved_at = ?, resolution = ? WHERE id = ?")
                .bind(self.now_ms)
                .bind(ARRIVED)
                .bind(id)
                .execute(&mut **tx)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    async fn set_aside(&self, tx: &mut Tx<'_>, records: &[SetAside]) -> Result<()> {
        for record in records {
            let reason = json(&record.reason)?;
            sqlx::query(
                "INSERT OR IGNORE INTO quarantine (device, incarnation, lane, n, branch, \
                 complaint, kind, body, prev, hash, reason, at, resolved_at, resolution) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(record.key.device.0)
            .bind(i64::from(record.key.incarnation))
            .bind(i64::from(record.key.lane.number()))
            .bind(int(record.key.n))
            .bind(record.branch.as_str())
            .bind(record.complaint.map(|id| id.0))
            .bind(record.kind)
            .bind(record.sealed.body.get())
            .bind(record.sealed.prev.0.as_slice())
            .bind(record.sealed.hash.0.as_slice())
            .bind(reason)
            .bind(self.now_ms)
            .bind(record.is_settled().then_some(self.now_ms))
            .bind(record.is_settled().then_some(REPEATED))
            .execute(&mut **tx)
            .await
            .map_err(failed)?;
        }
        Ok(())
    }
}

async fn origins(tx: &mut Tx<'_>, origins: &[Origin]) -> Result<()> {
    for origin in origins {
        sqlx::query(
            "INSERT OR IGNORE INTO origin (device, incarnation, lane, n, hash) \
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(origin.key.device.0)
        .bind(i64::from(origin.key.incarnation))
        .bind(i64::from(origin.key.lane.number()))
        .bind(int(origin.key.n))
        .bind(&origin.hash)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

async fn heads(tx: &mut Tx<'_>, heads: &[Head]) -> Result<()> {
    for head in heads {
        sqlx::query(
            "INSERT INTO lane_head (device, incarnation, lane, n, hash) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT DO UPDATE SET n = excluded.n, hash = excluded.hash",
        )
        .bind(head.device.0)
        .bind(i64::from(head.incarnation))
        .bind(i64::from(head.lane.number()))
        .bind(int(head.head.n))
        .bind(head.head.hash.0.as_slice())
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

async fn lease(tx: &mut Tx<'_>, case: &Case) -> Result<()> {
    let id = case.complaint.id.0;
    sqlx::query("DELETE FROM lease WHERE complaint = ?")
        .bind(id)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    if let Some(claim) = &case.complaint.claim {
        sqlx::query("INSERT INTO lease (complaint, lease, expert, until) VALUES (?, ?, ?, ?)")
            .bind(id)
            .bind(claim.lease.0)
            .bind(claim.expert.0)
            .bind(ms(claim.until))
            .execute(&mut **tx)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

async fn tasks(tx: &mut Tx<'_>, case: &Case) -> Result<()> {
    let complaint = &case.complaint;
    sqlx::query("DELETE FROM task WHERE complaint = ?")
        .bind(complaint.id.0)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    for task in &complaint.tasks {
        sqlx::query(
            "INSERT INTO task (id, complaint, department, is_open, due_at, body) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(task.id.0)
        .bind(complaint.id.0)
        .bind(task.department.0)
        .bind(task.is_open())
        .bind(ms(task.due_at))
        .bind(json(task)?)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    }
    Ok(())
}
