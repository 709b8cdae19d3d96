//! Writing what a group decided, many rows a statement.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::{QueryBuilder, Sqlite};
use suda_domain::time::Timekeeping;
use suda_domain::{Complaint, ComplaintId};

use super::load::{End, ids};
use super::rows::rows;
use super::sms::insert_sms;
use super::value::{int, json, ms};
use super::{Tx, barred, failed};
use crate::group::Written;
use crate::ingest::{Case, Changes};
use crate::store::checks::link;
use crate::store::row::{Prepared, prepare};
use crate::store::set_aside::wanted_at;
use crate::store::{ARRIVED, REPEATED, Result, Touched};

/// Writes everything and gives what it touched.
pub async fn apply(
    tx: &mut Tx<'_>,
    mut written: Written,
    end: End,
    keep: &Arc<Timekeeping>,
) -> Result<Touched> {
    let prepared = prepare(std::mem::take(&mut written.cases), keep);
    let last_seq = log(tx, &written, end).await?;
    let prepared = prepared.await?;
    complaints(tx, &prepared, &last_seq).await?;
    let cases: Vec<Case> = prepared.into_iter().map(|one| one.case).collect();
    to_index(tx, &cases).await?;
    leases(tx, &cases).await?;
    tasks(tx, &cases).await?;
    let changed = cases.iter().filter(|case| case.duties_changed);
    let changed: Vec<&Complaint> = changed.map(|case| case.complaint.as_ref()).collect();
    duties(tx, &changed).await?;
    for case in cases.iter().filter(|case| case.beside_changed) {
        barred::write(tx, &case.complaint, &written.lines).await?;
    }
    insert_sms(tx, &written.texts).await?;
    set_aside(tx, &written).await?;
    released(tx, &written).await?;
    origins(tx, &written).await?;
    heads(tx, &written).await?;
    step_keys(tx, &written).await?;
    let set_aside = written.set_aside.into_iter().map(|(_, record)| record);
    let changes = Changes {
        set_aside: set_aside.collect(),
        cases,
        released: written.released.into_iter().map(|(id, _)| id).collect(),
        ..Changes::default()
    };
    Ok(Touched::by(&changes, &written.lines))
}

/// Appends to the log and gives each complaint's last number.
async fn log(tx: &mut Tx<'_>, written: &Written, end: End) -> Result<HashMap<ComplaintId, i64>> {
    let mut last_seq = HashMap::new();
    let End { mut seq, mut chain } = end;
    let mut lines = Vec::with_capacity(written.entries.len());
    for (at, entry) in &written.entries {
        seq += 1;
        chain = link(&chain, &entry.sealed.hash.0);
        last_seq.insert(entry.complaint, seq);
        lines.push((seq, chain.clone(), ms(*at), entry));
    }
    let insert = "INSERT INTO log (seq, branch, complaint, device, incarnation, lane, n, \
                  received_at, received_again, body, prev, hash, chain) ";
    rows(tx, &lines, (insert, ""), |line, (seq, chain, at, entry)| {
        line.push_bind(*seq)
            .push_bind(entry.branch.as_str().to_owned())
            .push_bind(entry.complaint.0)
            .push_bind(entry.key.device.0)
            .push_bind(i64::from(entry.key.incarnation))
            .push_bind(i64::from(entry.key.lane.number()))
            .push_bind(int(entry.key.n))
            .push_bind(*at)
            .push_bind(*at)
            .push_bind(entry.sealed.body.get().to_owned())
            .push_bind(entry.sealed.prev.0.to_vec())
            .push_bind(entry.sealed.hash.0.to_vec())
            .push_bind(chain.clone());
    })
    .await?;
    Ok(last_seq)
}

async fn complaints(
    tx: &mut Tx<'_>,
    prepared: &[Prepared],
    last_seq: &HashMap<ComplaintId, i64>,
) -> Result<()> {
    let insert = "INSERT INTO complaint (id, reference, branch, state, rank, due, in_queue, \
                  with_team, claimed_by, alert_pending, arrived_at, queued_at, handoff_due, \
                  tell_at, told, updated_seq, body) ";
    let behind = " ON CONFLICT (id) DO UPDATE SET state = excluded.state, rank = excluded.rank, \
                  due = excluded.due, in_queue = excluded.in_queue, \
                  with_team = excluded.with_team, claimed_by = excluded.claimed_by, \
                  alert_pending = excluded.alert_pending, arrived_at = excluded.arrived_at, \
                  queued_at = excluded.queued_at, handoff_due = excluded.handoff_due, \
                  tell_at = excluded.tell_at, told = excluded.told, updated_seq = excluded.updated_seq, body = excluded.body";
    rows(tx, prepared, (insert, behind), |line, one| {
        let Prepared { case, row, body } = one;
        let complaint = &case.complaint;
        let seq = last_seq.get(&complaint.id).copied().unwrap_or_default();
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
            .push_bind(row.tell_at)
            .push_bind(row.told)
            .push_bind(seq)
            .push_bind(body.clone());
    })
    .await
}

async fn to_index(tx: &mut Tx<'_>, cases: &[Case]) -> Result<()> {
    let texts = cases.iter().filter(|case| case.text_changed);
    let texts: Vec<ComplaintId> = texts.map(|case| case.complaint.id).collect();
    let insert = "INSERT OR IGNORE INTO to_index (complaint) ";
    rows(tx, &texts, (insert, ""), |line, id| {
        line.push_bind(id.0);
    })
    .await
}

async fn set_aside(tx: &mut Tx<'_>, written: &Written) -> Result<()> {
    for (at, record) in &written.set_aside {
        sqlx::query(
            "INSERT OR IGNORE INTO quarantine (device, incarnation, lane, n, branch, \
             complaint, kind, body, prev, hash, reason, at, wanted_at, resolved_at, resolution) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        .bind(json(&record.reason)?)
        .bind(ms(*at))
        .bind(ms(wanted_at(record.reason, *at)))
        .bind(record.is_settled().then_some(ms(*at)))
        .bind(record.is_settled().then_some(REPEATED))
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

async fn released(tx: &mut Tx<'_>, written: &Written) -> Result<()> {
    for (id, at) in &written.released {
        sqlx::query("UPDATE quarantine SET resolved_at = ?, resolution = ? WHERE id = ?")
            .bind(ms(*at))
            .bind(ARRIVED)
            .bind(id)
            .execute(&mut **tx)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

async fn origins(tx: &mut Tx<'_>, written: &Written) -> Result<()> {
    let insert = "INSERT OR IGNORE INTO origin (device, incarnation, lane, n, hash) ";
    rows(tx, &written.origins, (insert, ""), |line, origin| {
        line.push_bind(origin.key.device.0)
            .push_bind(i64::from(origin.key.incarnation))
            .push_bind(i64::from(origin.key.lane.number()))
            .push_bind(int(origin.key.n))
            .push_bind(origin.hash.clone());
    })
    .await
}

async fn heads(tx: &mut Tx<'_>, written: &Written) -> Result<()> {
    let heads: Vec<_> = written.heads.iter().collect();
    let insert = "INSERT INTO lane_head (device, incarnation, lane, n, hash) ";
    let behind = " ON CONFLICT (device, incarnation, lane) DO UPDATE SET n = excluded.n, \
                  hash = excluded.hash";
    rows(
        tx,
        &heads,
        (insert, behind),
        |line, ((device, incarnation, lane), head)| {
            line.push_bind(device.0)
                .push_bind(i64::from(*incarnation))
                .push_bind(i64::from(lane.number()))
                .push_bind(int(head.n))
                .push_bind(head.hash.0.to_vec());
        },
    )
    .await
}

async fn step_keys(tx: &mut Tx<'_>, written: &Written) -> Result<()> {
    let insert = "INSERT INTO done_step (key, at) ";
    rows(tx, &written.step_keys, (insert, ""), |line, (key, at)| {
        line.push_bind(*key).push_bind(ms(*at));
    })
    .await
}

async fn leases(tx: &mut Tx<'_>, cases: &[Case]) -> Result<()> {
    let changed = || cases.iter().filter(|case| case.claim_changed);
    let of = changed().map(|case| case.complaint.id);
    delete(tx, "DELETE FROM lease WHERE complaint", of).await?;
    let held =
        changed().filter_map(|case| Some((case.complaint.id, case.complaint.claim.as_ref()?)));
    let held: Vec<_> = held.collect();
    let insert = "INSERT INTO lease (complaint, lease, expert, until) ";
    rows(tx, &held, (insert, ""), |line, (id, claim)| {
        line.push_bind(id.0)
            .push_bind(claim.lease.0)
            .push_bind(claim.expert.0)
            .push_bind(ms(claim.until));
    })
    .await
}

async fn tasks(tx: &mut Tx<'_>, cases: &[Case]) -> Result<()> {
    let changed = || cases.iter().filter(|case| case.tasks_changed);
    let of = changed().map(|case| case.complaint.id);
    delete(tx, "DELETE FROM task WHERE complaint", of).await?;
    let mut all = Vec::new();
    for case in changed() {
        for task in &case.complaint.tasks {
            all.push((case.complaint.id, task, json(task)?));
        }
    }
    let insert = "INSERT INTO task (id, complaint, department, is_open, due_at, body) ";
    rows(tx, &all, (insert, ""), |line, (id, task, body)| {
        line.push_bind(task.id.0)
            .push_bind(id.0)
            .push_bind(task.department.0)
            .push_bind(task.is_open())
            .push_bind(ms(task.due_at))
            .push_bind(body.clone());
    })
    .await
}

/// Replaces what somebody has to do about these complaints.
pub async fn duties(tx: &mut Tx<'_>, complaints: &[&Complaint]) -> Result<()> {
    let of = complaints.iter().map(|complaint| complaint.id);
    delete(tx, "DELETE FROM duty WHERE complaint", of).await?;
    let duties = complaints.iter().flat_map(|complaint| {
        let duties = suda_domain::duty::duties(complaint).into_iter();
        duties.map(|duty| (complaint.id, duty))
    });
    let duties: Vec<_> = duties.collect();
    let insert = "INSERT INTO duty (complaint, kind, item, holder, at) ";
    rows(tx, &duties, (insert, ""), |line, (id, duty)| {
        line.push_bind(id.0)
            .push_bind(duty.kind.name())
            .push_bind(duty.item)
            .push_bind(duty.holder.to_string())
            .push_bind(ms(duty.at));
    })
    .await
}

/// Deletes the rows of these complaints: `delete` ends with the column that
/// names them.
async fn delete(
    tx: &mut Tx<'_>,
    delete: &'static str,
    of: impl Iterator<Item = ComplaintId>,
) -> Result<()> {
    let of: Vec<_> = of.map(|id| id.0).collect();
    if of.is_empty() {
        return Ok(());
    }
    let mut query = QueryBuilder::<Sqlite>::new(delete);
    query.push(" IN (SELECT unhex(value) FROM json_each(");
    query.push_bind(ids(of.into_iter())).push("))");
    query.build().execute(&mut **tx).await.map_err(failed)?;
    Ok(())
}
