//! The contact with the hub's clock: the desk's own goes on from it, and what
//! was written in unconfirmed time is put right in the same transaction. The
//! steps stay as they were sealed; a fact of its own says which of their times
//! count otherwise now.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::fact::{Corrected, CorrectedStep};
use suda_domain::trusted::{JUMP, Jump, Shift, Stretch, shifts};
use suda_domain::{Actor, Complaint, ComplaintId, Fact, Stamp};

use crate::clock::{HubTime, from_ms, to_ms};
use crate::desk::{Enrolled, Inner, heads};
use crate::fold;
use crate::pen::{Pen, PenError};
use crate::store::barrier::Reader;
use crate::store::clock::{self, OwnStep, StretchRow};
use crate::store::{StoreError, WriteTx, complaints, ledger};
use crate::time::Held;

/// What a contact found, to be put in place right before its transaction is
/// committed, and back when that fails.
pub(crate) struct Met {
    pub(crate) held: Held,
    /// Complaints whose times were put right.
    pub(crate) corrected: usize,
}

/// One complaint's steps in unconfirmed time, each with its stretch's place.
type Steps = Vec<(usize, OwnStep)>;

impl Inner {
    /// Keeps a reading of the clocks, so that a restart goes on from it. When
    /// it fails, the next time does.
    pub(crate) async fn keep_time(&self) {
        if !self.time.wants_keeping() {
            return;
        }
        if let Err(error) = self.try_keep_time().await {
            tracing::warn!(%error, "the time was not kept");
        }
    }

    pub(crate) async fn try_keep_time(&self) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let held = self.time.copy();
        let now = self.time.reading();
        if let Some(begun) = &held.unwritten {
            clock::begin_stretch(tx.conn(), begun).await?;
        }
        let kept = held.kept(self.time.clock.boot(), now);
        clock::keep(tx.conn(), &kept, held.jumps).await?;
        tx.commit().await?;
        self.time.has_kept(now);
        Ok(())
    }

    /// Commits with the hub's time taken in: from then on the desk's clock is
    /// the hub's, and everything unconfirmed is put right.
    pub(crate) async fn commit_with_hub_time(
        &self,
        mut tx: WriteTx<'_>,
        enrolled: &Enrolled,
        seen: HubTime,
    ) -> Result<(), StoreError> {
        let Met { held, corrected } = self.meet(&mut tx, enrolled, seen).await?;
        let now = self.time.reading();
        let kept = held.kept(self.time.clock.boot(), now);
        clock::keep(tx.conn(), &kept, held.jumps).await?;
        let before = self.time.put(held);
        if let Err(error) = tx.commit().await {
            self.time.put(before);
            return Err(error);
        }
        self.time.has_kept(now);
        if corrected > 0 {
            tracing::info!(
                corrected,
                "times written under a wrong clock were put right"
            );
            self.tell_written();
        }
        Ok(())
    }

    async fn meet(
        &self,
        tx: &mut WriteTx<'_>,
        enrolled: &Enrolled,
        seen: HubTime,
    ) -> Result<Met, StoreError> {
        let mut held = self.time.copy();
        if let Some(begun) = held.unwritten.take() {
            clock::begin_stretch(tx.conn(), &begun).await?;
        }
        let stood = held.working.at(seen.mono_ms);
        held.working.meet(seen.hub, seen.mono_ms, seen.doubt);
        held.stretch = None;
        let rows = clock::unconfirmed(tx.conn()).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(Met { held, corrected: 0 });
        };
        // From the stretch as it is stored, not from the clock in memory: what
        // was begun and not committed is then begun anew.
        let behind = behind(last, seen);
        note_jump(&mut held, last, behind);
        let stretches: Vec<Stretch> = rows
            .iter()
            .map(|row| Stretch {
                begun: from_ms(row.begun_ms),
                ended: row.ended_ms.map_or(stood, from_ms),
            })
            .collect();
        let shifts = shifts(from_ms(first.seen_ms), &stretches, behind);
        let at = held.stamp(self.time.reading());
        let corrected = if shifts.iter().all(|shift| *shift == Shift::default()) {
            0
        } else {
            self.put_right(tx, enrolled, at, &rows, &shifts).await?
        };
        clock::confirm(tx.conn()).await?;
        Ok(Met { held, corrected })
    }

    async fn put_right(
        &self,
        tx: &mut WriteTx<'_>,
        enrolled: &Enrolled,
        at: Stamp,
        rows: &[StretchRow],
        shifts: &[Shift],
    ) -> Result<usize, StoreError> {
        for (row, shift) in rows.iter().zip(shifts) {
            let by_ms = shift.begins.num_milliseconds();
            clock::shift_drafts(tx.conn(), row.stretch, by_ms).await?;
        }
        let mut corrected = 0;
        for (id, steps) in by_complaint(tx, enrolled, rows).await? {
            let Some(stored) = complaints::get(tx.conn(), id, &Reader::program()).await? else {
                continue;
            };
            let stretch = clock::arrival_stretch(tx.conn(), id).await?;
            let arrival = stretch
                .and_then(|stretch| rows.iter().position(|row| row.stretch == stretch))
                .and_then(|place| shifts.get(place));
            let Some(fact) = correction(&stored.complaint, &steps, arrival, shifts) else {
                continue;
            };
            let actor = Actor::system(Some(enrolled.directory.branch.clone()));
            let mut state = Some(stored.complaint);
            let mut pen = Pen {
                device: &enrolled.device,
                heads: heads(tx, enrolled).await?,
                actor: &actor,
                at,
                events: Vec::with_capacity(1),
            };
            match pen.write(id, &mut state, fact) {
                Ok(()) => {}
                Err(PenError::Refused(refusal)) => {
                    tracing::error!(complaint = %id, %refusal, "its times were not put right");
                    continue;
                }
                Err(PenError::Json(error)) => return Err(error.into()),
            }
            let events = pen.events;
            let Some(complaint) = state else { continue };
            let row = fold::state_row(complaint, &enrolled.keep, stored.reminded);
            complaints::update(tx.conn(), &row).await?;
            ledger::append(tx.conn(), &events).await?;
            corrected += 1;
        }
        Ok(corrected)
    }
}

/// How far the clock of the stretch under way was behind the hub's.
fn behind(last: &StretchRow, seen: HubTime) -> TimeDelta {
    let passed = seen.mono_ms.saturating_sub(last.mono_ms);
    let passed = i64::try_from(passed)
        .ok()
        .and_then(TimeDelta::try_milliseconds);
    let stood = from_ms(last.begun_ms) + passed.unwrap_or_default();
    let behind = seen.hub - stood;
    if behind.abs() > seen.doubt {
        behind
    } else {
        TimeDelta::zero()
    }
}

/// How far the PC's clock was set while nothing ran is known now: what was
/// seen of it at the start, and what the hub's clock adds.
fn note_jump(held: &mut Held, last: &StretchRow, behind: TimeDelta) {
    let by = TimeDelta::milliseconds(last.jump_by_ms.unwrap_or_default()) - behind;
    if by.abs() < JUMP {
        return;
    }
    let jump = Jump {
        at: from_ms(last.begun_ms) + behind,
        by_ms: by.num_milliseconds(),
    };
    let known = held
        .jumps
        .last
        .is_some_and(|jump| to_ms(jump.at) == last.begun_ms);
    if known {
        held.jumps.last = Some(jump);
    } else if last.jump_by_ms.is_none() {
        held.jumps.add(jump);
    }
}

async fn by_complaint(
    tx: &mut WriteTx<'_>,
    enrolled: &Enrolled,
    rows: &[StretchRow],
) -> Result<BTreeMap<ComplaintId, Steps>, StoreError> {
    let from = rows.first().map_or(i64::MAX, |row| row.first_seq);
    let steps = clock::steps_after(tx.conn(), enrolled.identity(), from).await?;
    let mut found: BTreeMap<ComplaintId, Steps> = BTreeMap::new();
    for step in steps {
        let place = rows
            .iter()
            .rposition(|row| row.first_seq < step.seq)
            .unwrap_or_default();
        found.entry(step.complaint).or_default().push((place, step));
    }
    Ok(found)
}

/// The fact that puts a complaint's times right; none when all were right.
/// `arrival` is the shift of the time its arrival was taken from the clock; one
/// that a person typed stays, but is never later than the recording.
fn correction(
    complaint: &Complaint,
    steps: &Steps,
    arrival: Option<&Shift>,
    shifts: &[Shift],
) -> Option<Fact> {
    let begun_in = steps.iter().find(|(_, step)| step.records);
    let begun_in = begun_in.map(|(place, _)| *place);
    let mut list = Vec::new();
    let mut recorded: Option<DateTime<Utc>> = None;
    for (place, step) in steps {
        let shift = shifts.get(*place).copied().unwrap_or_default();
        let by = if begun_in == Some(*place) {
            shift.begins
        } else {
            shift.ends
        };
        let was = from_ms(step.at_ms);
        let is = was + by;
        if step.records {
            recorded = Some(is);
        }
        if by != TimeDelta::zero() {
            list.push(CorrectedStep {
                lane: step.lane,
                n: step.n,
                was,
                is,
            });
        }
    }
    let was = complaint.arrived_at;
    let is = was + arrival.map_or(TimeDelta::zero(), |shift| shift.begins);
    let is = recorded.map_or(is, |recorded| is.min(recorded));
    let arrived = (is != was).then_some(Corrected { was, is });
    (arrived.is_some() || !list.is_empty()).then_some(Fact::TimeCorrected {
        arrived,
        steps: list,
    })
}
