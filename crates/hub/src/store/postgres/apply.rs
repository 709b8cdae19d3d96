//! Writing what a group decided, each table in one statement: rows come as
//! arrays, one a column.

use std::collections::HashMap;
use std::sync::Arc;

use suda_domain::time::Timekeeping;
use suda_domain::{Complaint, ComplaintId};

use super::load::End;
use super::sms::insert_sms;
use super::{Tx, barred, failed};
use crate::group::Written;
use crate::ingest::{Case, Changes};
use crate::store::checks::link;
use crate::store::row::{Prepared, prepare};
use crate::store::set_aside::wanted_at;
use crate::store::value::{int, json, ms};
use crate::store::{ARRIVED, REPEATED, Result, Touched};

/// Writes everything and gives what it touched. The ledger is locked.
pub async fn apply(
    tx: &mut Tx<'_>,
    mut written: Written,
    end: End,
    keep: &Arc<Timekeeping>,
) -> Result<Touched> {
    let prepared = prepare(std::mem::take(&mut written.cases), keep);
    let last_seq = log(tx, &written, end).await?;
    let prepared = prepared.await?;
    if !prepared.is_empty() {
        complaints(tx, &prepared, &last_seq).await?;
    }
    let cases: Vec<Case> = prepared.into_iter().map(|one| one.case).collect();
    if !cases.is_empty() {
        to_index(tx, &cases, &last_seq).await?;
        leases(tx, &cases).await?;
        tasks(tx, &cases).await?;
        let changed = cases.iter().filter(|case| case.duties_changed);
        let changed: Vec<&Complaint> = changed.map(|case| case.complaint.as_ref()).collect();
        duties(tx, &changed).await?;
    }
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
    if written.entries.is_empty() {
        return Ok(last_seq);
    }
    let End { mut seq, mut chain } = end;
    let entries = &written.entries;
    let mut chains = Vec::with_capacity(entries.len());
    for (_, entry) in entries {
        seq += 1;
        chain = link(&chain, &entry.sealed.hash.0);
        last_seq.insert(entry.complaint, seq);
        chains.push(chain.clone());
    }
    let first = seq - chains.len() as i64 + 1;
    let column = |of: fn(&crate::pen::Entry) -> i64| {
        entries
            .iter()
            .map(|(_, entry)| of(entry))
            .collect::<Vec<_>>()
    };
    sqlx::query(
        "INSERT INTO log (seq, received_at, incarnation, lane, n, complaint, device, branch, \
         prev, hash, chain, body) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], \
         $4::bigint[], $5::bigint[], $6::uuid[], $7::uuid[], $8::text[], $9::bytea[], \
         $10::bytea[], $11::bytea[], $12::text[])",
    )
    .bind((first..=seq).collect::<Vec<_>>())
    .bind(entries.iter().map(|(at, _)| ms(*at)).collect::<Vec<_>>())
    .bind(column(|entry| i64::from(entry.key.incarnation)))
    .bind(column(|entry| i64::from(entry.key.lane.number())))
    .bind(column(|entry| int(entry.key.n)))
    .bind(
        entries
            .iter()
            .map(|(_, e)| e.complaint.0)
            .collect::<Vec<_>>(),
    )
    .bind(
        entries
            .iter()
            .map(|(_, e)| e.key.device.0)
            .collect::<Vec<_>>(),
    )
    .bind(
        entries
            .iter()
            .map(|(_, e)| e.branch.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        entries
            .iter()
            .map(|(_, e)| e.sealed.prev.0.as_slice())
            .collect::<Vec<_>>(),
    )
    .bind(
        entries
            .iter()
            .map(|(_, e)| e.sealed.hash.0.as_slice())
            .collect::<Vec<_>>(),
    )
    .bind(&chains)
    .bind(
        entries
            .iter()
            .map(|(_, e)| e.sealed.body.get())
            .collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    sqlx::query("UPDATE log_head SET seq = $1, chain = $2")
        .bind(seq)
        .bind(&chain)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(last_seq)
}

fn last(last_seq: &HashMap<ComplaintId, i64>, case: &Case) -> i64 {
    last_seq
        .get(&case.complaint.id)
        .copied()
        .unwrap_or_default()
}

async fn complaints(
    tx: &mut Tx<'_>,
    prepared: &[Prepared],
    last_seq: &HashMap<ComplaintId, i64>,
) -> Result<()> {
    let all = || prepared.iter().map(|one| &one.case.complaint);
    let rows = || prepared.iter().map(|one| &one.row);
    sqlx::query(
        "INSERT INTO complaint (id, reference, branch, state, rank, due, in_queue, with_team, \
         claimed_by, alert_pending, arrived_at, queued_at, handoff_due, tell_at, told, \
         updated_seq, body) \
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], \
         $6::bigint[], $7::bool[], $8::bool[], $9::uuid[], $10::bool[], $11::bigint[], \
         $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], \
         $17::text[]) \
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, rank = excluded.rank, \
         due = excluded.due, in_queue = excluded.in_queue, with_team = excluded.with_team, \
         claimed_by = excluded.claimed_by, alert_pending = excluded.alert_pending, \
         arrived_at = excluded.arrived_at, queued_at = excluded.queued_at, \
         handoff_due = excluded.handoff_due, tell_at = excluded.tell_at, \
         told = excluded.told, updated_seq = excluded.updated_seq, \
         body = excluded.body",
    )
    .bind(all().map(|c| c.id.0).collect::<Vec<_>>())
    .bind(all().map(|c| c.reference.as_str()).collect::<Vec<_>>())
    .bind(all().map(|c| c.branch.as_str()).collect::<Vec<_>>())
    .bind(all().map(|c| c.state.name()).collect::<Vec<_>>())
    .bind(rows().map(|row| row.rank).collect::<Vec<_>>())
    .bind(rows().map(|row| row.due).collect::<Vec<_>>())
    .bind(rows().map(|row| row.in_queue).collect::<Vec<_>>())
    .bind(rows().map(|row| row.with_team).collect::<Vec<_>>())
    .bind(
        rows()
            .map(|row| row.claimed_by.map(|e| e.0))
            .collect::<Vec<_>>(),
    )
    .bind(rows().map(|row| row.alert_pending).collect::<Vec<_>>())
    .bind(all().map(|c| ms(c.arrived_at)).collect::<Vec<_>>())
    .bind(rows().map(|row| row.queued_at.map(ms)).collect::<Vec<_>>())
    .bind(
        rows()
            .map(|row| row.handoff_due.map(ms))
            .collect::<Vec<_>>(),
    )
    .bind(rows().map(|row| row.tell_at).collect::<Vec<_>>())
    .bind(rows().map(|row| row.told).collect::<Vec<_>>())
    .bind(
        prepared
            .iter()
            .map(|one| last(last_seq, &one.case))
            .collect::<Vec<_>>(),
    )
    .bind(
        prepared
            .iter()
            .map(|one| one.body.as_str())
            .collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}

async fn to_index(
    tx: &mut Tx<'_>,
    cases: &[Case],
    last_seq: &HashMap<ComplaintId, i64>,
) -> Result<()> {
    let texts: Vec<&Case> = cases.iter().filter(|case| case.text_changed).collect();
    if texts.is_empty() {
        return Ok(());
    }
    // The number rises, so that who is indexing an older text sees it.
    sqlx::query(
        "INSERT INTO to_index (complaint, seq) SELECT * FROM unnest($1::uuid[], $2::bigint[]) \
         ON CONFLICT (complaint) DO UPDATE SET seq = excluded.seq",
    )
    .bind(
        texts
            .iter()
            .map(|case| case.complaint.id.0)
            .collect::<Vec<_>>(),
    )
    .bind(
        texts
            .iter()
            .map(|case| last(last_seq, case))
            .collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}

async fn leases(tx: &mut Tx<'_>, cases: &[Case]) -> Result<()> {
    let changed: Vec<&Case> = cases.iter().filter(|case| case.claim_changed).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let held = || {
        changed.iter().filter_map(|case| {
            let claim = case.complaint.claim.as_ref()?;
            Some((case.complaint.id, claim))
        })
    };
    let free: Vec<_> = changed
        .iter()
        .filter(|case| case.complaint.claim.is_none())
        .map(|case| case.complaint.id.0)
        .collect();
    if !free.is_empty() {
        sqlx::query("DELETE FROM lease WHERE complaint = ANY($1)")
            .bind(free)
            .execute(&mut **tx)
            .await
            .map_err(failed)?;
    }
    if held().next().is_none() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO lease (complaint, lease, expert, until) \
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[]) \
         ON CONFLICT (complaint) DO UPDATE SET lease = excluded.lease, \
         expert = excluded.expert, until = excluded.until",
    )
    .bind(held().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind(held().map(|(_, claim)| claim.lease.0).collect::<Vec<_>>())
    .bind(held().map(|(_, claim)| claim.expert.0).collect::<Vec<_>>())
    .bind(held().map(|(_, claim)| ms(claim.until)).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}

async fn tasks(tx: &mut Tx<'_>, cases: &[Case]) -> Result<()> {
    let changed: Vec<&Case> = cases.iter().filter(|case| case.tasks_changed).collect();
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM task WHERE complaint = ANY($1)")
        .bind(
            changed
                .iter()
                .map(|case| case.complaint.id.0)
                .collect::<Vec<_>>(),
        )
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    let all = || {
        changed.iter().flat_map(|case| {
            case.complaint
                .tasks
                .iter()
                .map(|task| (case.complaint.id, task))
        })
    };
    let bodies = all()
        .map(|(_, task)| json(task))
        .collect::<Result<Vec<_>>>()?;
    sqlx::query(
        "INSERT INTO task (id, complaint, department, is_open, due_at, body) SELECT * FROM \
         unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bool[], $5::bigint[], $6::text[])",
    )
    .bind(all().map(|(_, task)| task.id.0).collect::<Vec<_>>())
    .bind(all().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind(all().map(|(_, task)| task.department.0).collect::<Vec<_>>())
    .bind(all().map(|(_, task)| task.is_open()).collect::<Vec<_>>())
    .bind(all().map(|(_, task)| ms(task.due_at)).collect::<Vec<_>>())
    .bind(bodies)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Few a day: one statement each.
async fn set_aside(tx: &mut Tx<'_>, written: &Written) -> Result<()> {
    for (at, record) in &written.set_aside {
        sqlx::query(
            "INSERT INTO quarantine (device, incarnation, lane, n, branch, complaint, kind, body, \
             prev, hash, reason, at, wanted_at, resolved_at, resolution) VALUES ($1, $2, $3, $4, $5, \
             $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING",
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
        sqlx::query("UPDATE quarantine SET resolved_at = $1, resolution = $2 WHERE id = $3")
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
    for origin in &written.origins {
        sqlx::query(
            "INSERT INTO origin (device, incarnation, lane, n, hash) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING",
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

async fn heads(tx: &mut Tx<'_>, written: &Written) -> Result<()> {
    if written.heads.is_empty() {
        return Ok(());
    }
    let all = || written.heads.iter();
    sqlx::query(
        "INSERT INTO lane_head (device, incarnation, lane, n, hash) SELECT * FROM \
         unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[]) \
         ON CONFLICT (device, incarnation, lane) DO UPDATE SET n = excluded.n, \
         hash = excluded.hash",
    )
    .bind(
        all()
            .map(|((device, _, _), _)| device.0)
            .collect::<Vec<_>>(),
    )
    .bind(
        all()
            .map(|((_, incarnation, _), _)| i64::from(*incarnation))
            .collect::<Vec<_>>(),
    )
    .bind(
        all()
            .map(|((_, _, lane), _)| i64::from(lane.number()))
            .collect::<Vec<_>>(),
    )
    .bind(all().map(|(_, head)| int(head.n)).collect::<Vec<_>>())
    .bind(
        all()
            .map(|(_, head)| head.hash.0.as_slice())
            .collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}

async fn step_keys(tx: &mut Tx<'_>, written: &Written) -> Result<()> {
    if written.step_keys.is_empty() {
        return Ok(());
    }
    let all = || written.step_keys.iter();
    sqlx::query("INSERT INTO done_step (key, at) SELECT * FROM unnest($1::uuid[], $2::bigint[])")
        .bind(all().map(|(key, _)| *key).collect::<Vec<_>>())
        .bind(all().map(|(_, at)| ms(*at)).collect::<Vec<_>>())
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Replaces what somebody has to do about these complaints.
pub async fn duties(tx: &mut Tx<'_>, complaints: &[&Complaint]) -> Result<()> {
    if complaints.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = complaints.iter().map(|complaint| complaint.id.0).collect();
    sqlx::query("DELETE FROM duty WHERE complaint = ANY($1)")
        .bind(ids)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    let all: Vec<_> = complaints
        .iter()
        .flat_map(|complaint| {
            let duties = suda_domain::duty::duties(complaint);
            duties.into_iter().map(|duty| (complaint.id.0, duty))
        })
        .collect();
    sqlx::query(
        "INSERT INTO duty (complaint, kind, item, holder, at) SELECT * FROM \
         unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[])",
    )
    .bind(all.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(
        all.iter()
            .map(|(_, duty)| duty.kind.name())
            .collect::<Vec<_>>(),
    )
    .bind(all.iter().map(|(_, duty)| duty.item).collect::<Vec<_>>())
    .bind(
        all.iter()
            .map(|(_, duty)| duty.holder.to_string())
            .collect::<Vec<_>>(),
    )
    .bind(all.iter().map(|(_, duty)| ms(duty.at)).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}
