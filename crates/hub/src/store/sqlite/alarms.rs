//! Early warnings.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use suda_domain::alarm::{AlarmKind, AlarmState, AlarmStep};
use suda_domain::{Complaint, ComplaintId, StaffId};
use uuid::Uuid;

use super::barred::unless_barred;
use super::directory::bump_directory;
use super::load::ids;
use super::value::{branch, count, int, json, ms, parsed, time};
use super::{SqliteStore, Tx, begin, failed};
use crate::store::alarms::{
    AlarmBody, AlarmHeld, AlarmStore, AlarmsAsked, DayCell, FirstTold, LINES_AT_ONCE, Member,
    NewAlarm, Raised, StepTaken, Stepped,
};
use crate::store::{Reader, Result, StoreError, Touched};

type AlarmRow = (Uuid, String, String, i64, String);

const ALARM: &str = "SELECT id, kind, state, raised_at, body FROM alarm ";

#[async_trait]
impl AlarmStore for SqliteStore {
    async fn watches_alarms(&self) -> Result<bool> {
        // The file has one process.
        Ok(true)
    }

    async fn received_at(&self, seq: u64) -> Result<Option<DateTime<Utc>>> {
        let at: Option<i64> = sqlx::query_scalar("SELECT received_at FROM log WHERE seq = ?")
            .bind(int(seq))
            .fetch_optional(&mut *self.reader().await?)
            .await
            .map_err(failed)?;
        at.map(time).transpose()
    }

    async fn first_told(&self, after: u64) -> Result<FirstTold> {
        let mut reader = self.reader().await?;
        let last: i64 = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM log")
            .fetch_one(&mut *reader)
            .await
            .map_err(failed)?;
        let last = count(last);
        // Less than was looked at before: the hub was put back.
        let cursor = (after + LINES_AT_ONCE).min(last);
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT l.seq, c.body FROM log AS l JOIN complaint AS c ON c.id = l.complaint \
             WHERE l.seq > ? AND l.seq <= ? AND NOT EXISTS \
             (SELECT 1 FROM log AS e WHERE e.complaint = l.complaint AND e.seq < l.seq) \
             ORDER BY l.seq",
        )
        .bind(int(after))
        .bind(int(cursor))
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        let cases = rows
            .into_iter()
            .map(|(seq, body)| Ok((count(seq), parsed(&body)?)));
        Ok(FirstTold {
            cases: cases.collect::<Result<_>>()?,
            cursor,
            more: cursor < last,
        })
    }

    async fn raise_alarm(&self, alarm: &NewAlarm) -> Result<Raised> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let known = known(&mut tx, alarm).await?;
        let raised = match known {
            Some((id, AlarmState::Closed)) => return Ok(Raised::Known(id)),
            Some((id, _)) => {
                if alarm.kind == AlarmKind::Surge {
                    renew_figures(&mut tx, id, alarm).await?;
                }
                add_members(&mut tx, id, &alarm.members).await?;
                Raised::Known(id)
            }
            None => {
                sqlx::query(
                    "INSERT INTO alarm (id, kind, name, series, state, raised_at, body) \
                     VALUES (?, ?, ?, ?, 'raised', ?, ?)",
                )
                .bind(alarm.id)
                .bind(alarm.kind.name())
                .bind(&alarm.name)
                .bind(&alarm.series)
                .bind(ms(alarm.raised_at))
                .bind(json(&alarm.body)?)
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
                add_members(&mut tx, alarm.id, &alarm.members).await?;
                Raised::New
            }
        };
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(touched(false));
        Ok(raised)
    }

    async fn join_alarm(&self, alarm: Uuid, members: &[Member]) -> Result<()> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        if find(&mut tx, alarm)
            .await?
            .is_none_or(|row| row.2 == AlarmState::Closed.name())
        {
            return Ok(());
        }
        add_members(&mut tx, alarm, members).await?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(touched(false));
        Ok(())
    }

    async fn alarms(&self, asked: &AlarmsAsked, reader: Reader) -> Result<Vec<AlarmHeld>> {
        let mut query = QueryBuilder::<Sqlite>::new(ALARM);
        // In so many words, so that the index of these is used.
        query.push(match asked.closed {
            true => "WHERE state = 'closed'",
            false => "WHERE state <> 'closed'",
        });
        if let Some((at, id)) = asked.before {
            query.push(" AND (raised_at, id) < (").push_bind(ms(at));
            query.push(", ").push_bind(id).push(")");
        }
        query.push(
            " AND EXISTS (SELECT 1 FROM alarm_member JOIN complaint \
             ON complaint.id = alarm_member.complaint WHERE alarm_member.alarm = alarm.id",
        );
        if let Some(branch) = &asked.branch {
            query
                .push(" AND alarm_member.branch = ")
                .push_bind(branch.to_string());
        }
        unless_barred(&mut query, reader);
        query
            .push(") ORDER BY raised_at DESC, id DESC LIMIT ")
            .push_bind(i64::from(asked.limit));
        let mut connection = self.reader().await?;
        let rows: Vec<AlarmRow> = query
            .build_query_as()
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
        with_members(&mut connection, rows, reader).await
    }

    async fn alarm(&self, id: Uuid, reader: Reader) -> Result<Option<AlarmHeld>> {
        let mut connection = self.reader().await?;
        let row = find(&mut connection, id).await?;
        let held = with_members(&mut connection, row.into_iter().collect(), reader).await?;
        Ok(held.into_iter().find(|alarm| !alarm.members.is_empty()))
    }

    async fn cases(&self, of: &[ComplaintId], reader: Reader) -> Result<Vec<Complaint>> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT body FROM complaint WHERE id IN (SELECT unhex(value) FROM json_each(",
        );
        query.push_bind(ids(of.iter().map(|id| id.0))).push("))");
        unless_barred(&mut query, reader);
        let bodies: Vec<String> = query
            .build_query_scalar()
            .fetch_all(&mut *self.reader().await?)
            .await
            .map_err(failed)?;
        bodies.iter().map(|body| parsed(body)).collect()
    }

    async fn step_alarm(&self, alarm: Uuid, taken: &StepTaken) -> Result<Stepped> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let Some((_, _, before, _, body)) = find(&mut tx, alarm).await? else {
            return Ok(Stepped::Unknown);
        };
        let before = state(&before)?;
        let Some(after) = before.after(taken.step) else {
            return Ok(Stepped::NotInThisState);
        };
        let mut body: AlarmBody = parsed(&body)?;
        if taken.step == AlarmStep::Explain {
            body.say.clone_from(&taken.text);
        }
        sqlx::query("UPDATE alarm SET state = ?, body = ? WHERE id = ?")
            .bind(after.name())
            .bind(json(&body)?)
            .bind(alarm)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        sqlx::query(
            "INSERT INTO alarm_step (alarm, n, at, staff, step, text) VALUES \
             (?1, (SELECT count(*) + 1 FROM alarm_step WHERE alarm = ?1), ?2, ?3, ?4, ?5)",
        )
        .bind(alarm)
        .bind(ms(taken.at))
        .bind(taken.staff.0)
        .bind(taken.step.name())
        .bind(&taken.text)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        let desks_know = [before, after].contains(&AlarmState::Explained);
        if desks_know {
            bump_directory(&mut tx).await?;
        }
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(touched(desks_know));
        Ok(Stepped::Done)
    }

    async fn alarm_steps(&self, alarm: Uuid) -> Result<Vec<StepTaken>> {
        let rows: Vec<(i64, Uuid, String, String)> = sqlx::query_as(
            "SELECT at, staff, step, text FROM alarm_step WHERE alarm = ? ORDER BY n",
        )
        .bind(alarm)
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(failed)?;
        let taken = |(at, staff, step, text): (i64, Uuid, String, String)| {
            let known = AlarmStep::from_name(&step);
            Ok(StepTaken {
                at: time(at)?,
                staff: StaffId(staff),
                step: known.ok_or_else(|| StoreError::Damaged(format!("no step is {step}")))?,
                text,
            })
        };
        rows.into_iter().map(taken).collect()
    }

    async fn day_cells(&self, since: DateTime<Utc>, offset_ms: i64) -> Result<Vec<DayCell>> {
        let rows: Vec<(i64, String, String, String, i64)> = sqlx::query_as(
            "SELECT (arrived_at + ?1) / 86400000 AS day, branch, \
             coalesce(body ->> '$.intake.category', '') AS category, \
             coalesce(body ->> '$.intake.business', '') AS product, count(*) \
             FROM complaint WHERE arrived_at >= ?2 GROUP BY 1, 2, 3, 4",
        )
        .bind(offset_ms)
        .bind(ms(since))
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(failed)?;
        Ok(rows.into_iter().map(cell).collect())
    }

    async fn captured_within(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Complaint>> {
        let bodies: Vec<String> = sqlx::query_scalar(
            "SELECT body FROM complaint WHERE arrived_at >= ? AND arrived_at < ? \
             ORDER BY arrived_at DESC, id LIMIT ?",
        )
        .bind(ms(from))
        .bind(ms(to))
        .bind(i64::from(limit))
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(failed)?;
        bodies.iter().map(|body| parsed(body)).collect()
    }
}

fn touched(directory: bool) -> Touched {
    Touched {
        alarms: true,
        directory,
        ..Touched::default()
    }
}

fn cell((day, branch, category, product, number): (i64, String, String, String, i64)) -> DayCell {
    DayCell {
        day,
        branch,
        category,
        product,
        count: count(number),
    }
}

fn state(name: &str) -> Result<AlarmState> {
    AlarmState::from_name(name).ok_or_else(|| StoreError::Damaged(format!("no alarm is {name}")))
}

/// The one raised before that this is, an open one before a closed one.
async fn known(tx: &mut Tx<'_>, alarm: &NewAlarm) -> Result<Option<(Uuid, AlarmState)>> {
    let query = match alarm.kind {
        AlarmKind::Burst => {
            let of = alarm.members.iter().map(|member| member.complaint.0);
            sqlx::query_as(
                "SELECT id, state FROM alarm JOIN alarm_member ON alarm_member.alarm = alarm.id \
                 WHERE kind = 'burst' AND complaint IN (SELECT unhex(value) FROM json_each(?)) \
                 ORDER BY state = 'closed', raised_at DESC LIMIT 1",
            )
            .bind(ids(of))
        }
        AlarmKind::Surge => sqlx::query_as(
            "SELECT id, state FROM alarm WHERE (series = ? AND state <> 'closed') OR name = ? \
             ORDER BY state = 'closed', raised_at DESC LIMIT 1",
        )
        .bind(&alarm.series)
        .bind(&alarm.name),
    };
    let row: Option<(Uuid, String)> = query.fetch_optional(&mut **tx).await.map_err(failed)?;
    row.map(|(id, name)| Ok((id, state(&name)?))).transpose()
}

/// A surge that goes on shows its last day; what a person wrote stays.
async fn renew_figures(tx: &mut Tx<'_>, id: Uuid, alarm: &NewAlarm) -> Result<()> {
    let Some((_, _, _, _, body)) = find(&mut *tx, id).await? else {
        return Ok(());
    };
    let mut body: AlarmBody = parsed(&body)?;
    body.surge.clone_from(&alarm.body.surge);
    sqlx::query("UPDATE alarm SET body = ? WHERE id = ?")
        .bind(json(&body)?)
        .bind(id)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn add_members(tx: &mut Tx<'_>, alarm: Uuid, members: &[Member]) -> Result<()> {
    for member in members {
        sqlx::query(
            "INSERT INTO alarm_member (alarm, complaint, branch, captured_at) \
             VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(alarm)
        .bind(member.complaint.0)
        .bind(member.branch.as_str())
        .bind(ms(member.captured_at))
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

async fn find(connection: &mut SqliteConnection, id: Uuid) -> Result<Option<AlarmRow>> {
    let mut query = QueryBuilder::<Sqlite>::new(ALARM);
    query.push("WHERE id = ").push_bind(id);
    let row = query.build_query_as().fetch_optional(connection).await;
    row.map_err(failed)
}

async fn with_members(
    connection: &mut SqliteConnection,
    rows: Vec<AlarmRow>,
    reader: Reader,
) -> Result<Vec<AlarmHeld>> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT alarm, alarm_member.complaint, alarm_member.branch, captured_at FROM alarm_member \
         JOIN complaint ON complaint.id = alarm_member.complaint \
         WHERE alarm IN (SELECT unhex(value) FROM json_each(",
    );
    query
        .push_bind(ids(rows.iter().map(|row| row.0)))
        .push("))");
    unless_barred(&mut query, reader);
    query.push(" ORDER BY captured_at, alarm_member.complaint");
    let members: Vec<(Uuid, Uuid, String, i64)> = query
        .build_query_as()
        .fetch_all(connection)
        .await
        .map_err(failed)?;
    let mut of: HashMap<Uuid, Vec<Member>> = HashMap::new();
    for (alarm, complaint, code, at) in members {
        of.entry(alarm).or_default().push(Member {
            complaint: ComplaintId(complaint),
            branch: branch(code)?,
            captured_at: time(at)?,
        });
    }
    let held = |(id, kind, name, at, body): AlarmRow| {
        let known = AlarmKind::from_name(&kind);
        Ok(AlarmHeld {
            id,
            kind: known.ok_or_else(|| StoreError::Damaged(format!("no alarm is a {kind}")))?,
            state: state(&name)?,
            raised_at: time(at)?,
            body: parsed(&body)?,
            members: of.remove(&id).unwrap_or_default(),
        })
    };
    rows.into_iter().map(held).collect()
}
