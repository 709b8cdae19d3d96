//! Several batches and steps judged one after the other against one picture of
//! the store, to be written in one transaction: the cost of a commit is shared
//! by all who wait for it. Pure; the store fills the [`World`] under its lock
//! and keeps what [`World::finish`] gives.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use suda_domain::escalation::{self, Escalation, Name};
use suda_domain::fact::ReleaseCause;
use suda_domain::staff::StaffRecord;
use suda_domain::texts::asked;
use suda_domain::time::Timekeeping;
use suda_domain::{
    Actor, Complaint, ComplaintId, DeviceId, EventKey, Fact, Lane, Lines, Origin, ReferenceNumber,
    Role, StaffId,
};
use suda_sync::Hash;
use suda_sync::place::LaneHead;
use uuid::Uuid;

use crate::ingest::{Batch, Case, Changes, Head, HeldRecord, SetAside, Situation, judge};
use crate::pen::{Entry, Pen, PenError};
use crate::store::sms::{Duty, DutyDeadline, NewSms, OnDuty};
use crate::store::{Held, Ingested, Step, StepError, StepRefused, StoreError};

/// One lane of one incarnation of a device.
pub type LaneKey = (DeviceId, u32, Lane);

/// What the requests of a group concern, to be looked up at once.
#[derive(Clone, Default, Debug)]
pub struct Concerned {
    pub devices: BTreeSet<DeviceId>,
    pub complaints: BTreeSet<ComplaintId>,
    pub references: BTreeSet<String>,
    pub staff: BTreeSet<StaffId>,
    pub step_keys: BTreeSet<Uuid>,
    /// A step of the program is among them: it may tell of deadlines.
    pub by_rule: bool,
    /// What events with a new number were first.
    pub renamed: HashSet<Origin>,
}

impl Concerned {
    pub fn add_batch(&mut self, batch: &Batch) {
        self.devices.insert(batch.device);
        self.complaints.extend(batch.complaints());
        self.references
            .extend(batch.references().into_iter().map(String::from));
        self.staff.extend(batch.staff());
        self.renamed.extend(batch.renamed().cloned());
    }

    pub fn add_step(&mut self, step: &Step) {
        self.complaints.insert(step.complaint);
        self.step_keys.extend(step.key);
        self.by_rule |= step.actor.role == Role::System;
    }
}

/// The store as the group sees it, changed by each request in turn.
pub struct World {
    /// The hub's own place in the ledger.
    pub device: DeviceId,
    pub incarnation: u32,
    pub heads: HashMap<LaneKey, LaneHead>,
    /// Hashes stored under numbers that a batch repeats.
    pub known: HashMap<LaneKey, HashMap<u64, Hash>>,
    pub complaints: HashMap<ComplaintId, Held>,
    pub references: HashMap<ReferenceNumber, ComplaintId>,
    pub staff: HashMap<StaffId, StaffRecord>,
    pub done_steps: HashSet<Uuid>,
    /// Records that wait for a predecessor, oldest first.
    pub held: Vec<HeldRecord>,
    /// What events with a new number were first: when one comes as it was, that
    /// is remembered.
    pub renamed: HashSet<Origin>,
    /// Of the events concerned and what they were first, those that have arrived.
    pub arrived: HashSet<Origin>,
    /// Who stands above whom.
    pub lines: Arc<Lines>,
    /// What customers may be given.
    time: Arc<Timekeeping>,
    /// The active staff who may have to be texted.
    pub on_duty: Vec<OnDuty>,
    /// When the hub was put back to an earlier moment for the last time.
    pub restored_at: Option<DateTime<Utc>>,
    written: Written,
}

/// What the group writes.
#[derive(Default)]
pub struct Written {
    /// In the order of the log, each with the moment it was received.
    pub entries: Vec<(DateTime<Utc>, Entry)>,
    pub set_aside: Vec<(DateTime<Utc>, SetAside)>,
    /// Each complaint once, as it is after all requests.
    pub cases: BTreeMap<ComplaintId, Case>,
    pub heads: HashMap<LaneKey, LaneHead>,
    pub step_keys: Vec<(Uuid, DateTime<Utc>)>,
    /// Held records that have found their place.
    pub released: Vec<(i64, DateTime<Utc>)>,
    /// What was written under a new number, as it was first.
    pub origins: Vec<Origin>,
    /// What customers and duty staff are to be told.
    pub texts: Vec<NewSms>,
    /// For deriving whom the cases bar.
    pub lines: Arc<Lines>,
}

impl Written {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.set_aside.is_empty() && self.heads.is_empty()
    }
}

impl World {
    /// A picture that holds nothing yet.
    pub fn new(device: DeviceId, incarnation: u32, time: Arc<Timekeeping>) -> Self {
        Self {
            device,
            incarnation,
            heads: HashMap::new(),
            known: HashMap::new(),
            complaints: HashMap::new(),
            references: HashMap::new(),
            staff: HashMap::new(),
            done_steps: HashSet::new(),
            held: Vec::new(),
            renamed: HashSet::new(),
            arrived: HashSet::new(),
            lines: Arc::default(),
            time,
            on_duty: Vec::new(),
            restored_at: None,
            written: Written::default(),
        }
    }

    /// The branches of the complaints.
    pub fn branches(&self) -> Vec<String> {
        let held = self.complaints.values();
        let of: BTreeSet<_> = held.map(|held| held.complaint.branch.to_string()).collect();
        of.into_iter().collect()
    }

    /// Where a lane ends now.
    pub fn head(&self, lane: LaneKey) -> LaneHead {
        self.heads.get(&lane).copied().unwrap_or(LaneHead::EMPTY)
    }

    /// Judges a batch as if it came alone after those before it.
    ///
    /// # Errors
    /// When one of the hub's own events cannot be written; the world is then
    /// as before.
    pub fn batch(&mut self, batch: &Batch) -> Result<Ingested, PenError> {
        let mut pen = self.pen(batch.now, batch.mono_ms);
        let judgement = judge(batch, self.situation(batch), &mut pen)?;
        let touched: Vec<ComplaintId> = judgement
            .changes
            .cases
            .iter()
            .map(|case| case.complaint.id)
            .collect();
        self.keep(judgement.changes, batch.now);
        for id in touched {
            self.release_barred(id, batch.now, batch.mono_ms)?;
        }
        let watermarks = Lane::ALL.map(|lane| self.head((batch.device, batch.incarnation, lane)).n);
        Ok(Ingested {
            verdicts: judgement.verdicts,
            watermarks,
        })
    }

    /// Decides a step as if it came alone after those before it.
    ///
    /// # Errors
    /// When it is refused or the complaint is not known; the world is then as
    /// before.
    pub fn step(&mut self, step: &Step) -> Result<Complaint, StepError> {
        let held = self
            .complaints
            .get(&step.complaint)
            .ok_or(StepError::Unknown)?;
        // As if there were none, also for a click that was done before.
        let actor = step.actor.staff;
        if actor.is_some_and(|staff| self.lines.bar(&held.complaint, staff)) {
            return Err(StepError::Refused(StepRefused::Barred));
        }
        if step.key.is_some_and(|key| self.done_steps.contains(&key)) {
            return Ok(held.complaint.as_ref().clone());
        }
        let mut pen = self.pen(step.now, step.mono_ms);
        let mut after = held.complaint.as_ref().clone();
        let mut entries = Vec::new();
        for fact in (step.decide)(held)? {
            self.lines
                .admit(&after, &step.actor, &fact)
                .and_then(|()| after.admit_money(&fact, self.time.latest()))
                .map_err(StepRefused::Rule)?;
            let entry = pen
                .write(&mut after, &step.actor, fact)
                .map_err(|error| match error {
                    PenError::Refused(refusal) => StepError::Refused(StepRefused::Rule(refusal)),
                    PenError::Json(error) => StepError::Store(StoreError::Failed(Box::new(error))),
                })?;
            entries.push(entry);
        }
        let released = self.release(&mut pen, &mut after);
        entries.extend(released.map_err(|error| StoreError::Failed(Box::new(error)))?);
        if entries.is_empty() {
            return Ok(after);
        }
        let changes = Changes {
            entries,
            cases: vec![Case::new(Some(&held.complaint), Arc::new(after.clone()))],
            heads: vec![own_head(&pen)],
            ..Changes::default()
        };
        self.keep(changes, step.now);
        if let Some(key) = step.key {
            self.done_steps.insert(key);
            self.written.step_keys.push((key, step.now));
        }
        Ok(after)
    }

    /// Everything the requests have changed.
    pub fn finish(self) -> Written {
        Written {
            lines: self.lines,
            ..self.written
        }
    }

    /// The claim of an expert who is barred by now ends in the same step.
    fn release(&self, pen: &mut Pen, complaint: &mut Complaint) -> Result<Option<Entry>, PenError> {
        let claim = complaint.claim.as_ref();
        let barred = claim.filter(|claim| self.lines.bar(complaint, claim.expert));
        let Some(lease) = barred.map(|claim| claim.lease) else {
            return Ok(None);
        };
        let fact = Fact::Released {
            lease,
            cause: ReleaseCause::Recused,
        };
        let entry = pen.write(complaint, &Actor::system(None), fact)?;
        Ok(Some(entry))
    }

    /// Like [`release`](Self::release), after a batch.
    fn release_barred(
        &mut self,
        id: ComplaintId,
        now: DateTime<Utc>,
        mono_ms: u64,
    ) -> Result<(), PenError> {
        let Some(held) = self.complaints.get(&id) else {
            return Ok(());
        };
        let mut pen = self.pen(now, mono_ms);
        let mut after = held.complaint.as_ref().clone();
        if let Some(entry) = self.release(&mut pen, &mut after)? {
            let changes = Changes {
                entries: vec![entry],
                cases: vec![Case::new(Some(&held.complaint), Arc::new(after))],
                heads: vec![own_head(&pen)],
                ..Changes::default()
            };
            self.keep(changes, now);
        }
        Ok(())
    }

    fn pen(&self, now: DateTime<Utc>, mono_ms: u64) -> Pen {
        Pen {
            device: self.device,
            incarnation: self.incarnation,
            head: self.head((self.device, self.incarnation, Pen::LANE)),
            now,
            mono_ms,
        }
    }

    fn situation(&self, batch: &Batch) -> Situation {
        let lane = (batch.device, batch.incarnation, batch.lane);
        let complaints = batch.complaints().into_iter().filter_map(|id| {
            let held = self.complaints.get(&id)?;
            Some((id, Arc::clone(&held.complaint)))
        });
        let references = batch.references().into_iter().filter_map(|reference| {
            let id = *self.references.get(&reference)?;
            Some((reference, id))
        });
        let ids = batch.complaints();
        let waits = |record: &&HeldRecord| ids.contains(&record.event.complaint);
        let held: Vec<HeldRecord> = self.held.iter().filter(waits).cloned().collect();
        let held_by = held.iter().filter_map(|record| record.event.actor.staff);
        let staff = batch
            .staff()
            .into_iter()
            .chain(held_by)
            .filter_map(|id| Some((id, self.staff.get(&id)?.clone())));
        Situation {
            head: self.head(lane),
            known: self.known.get(&lane).cloned().unwrap_or_default(),
            complaints: complaints.collect(),
            references: references.collect(),
            staff: staff.collect(),
            arrived: self.arrived.clone(),
            lines: Arc::clone(&self.lines),
            held,
        }
    }

    fn keep(&mut self, changes: Changes, now: DateTime<Utc>) {
        self.ask_for_texts(&changes, now);
        for head in changes.heads {
            let lane = (head.device, head.incarnation, head.lane);
            if self.head(lane) != head.head {
                self.heads.insert(lane, head.head);
                self.written.heads.insert(lane, head.head);
            }
        }
        for id in changes.released {
            self.held.retain(|record| record.id != id);
            self.written.released.push((id, now));
        }
        self.arrived.extend(changes.origins.iter().cloned());
        self.written.origins.extend(changes.origins);
        for entry in changes.entries {
            self.remember(&entry.key, entry.sealed.hash);
            self.written.entries.push((now, entry));
        }
        for record in changes.set_aside {
            self.remember(&record.key, record.sealed.hash);
            self.written.set_aside.push((now, record));
        }
        for case in changes.cases {
            self.keep_case(case);
        }
    }

    /// Customers are told of the change that a request makes as a whole, under
    /// the name of its last event about the complaint.
    fn ask_for_texts(&mut self, changes: &Changes, now: DateTime<Utc>) {
        for case in &changes.cases {
            let id = case.complaint.id;
            let before = self.complaints.get(&id).map(|held| held.complaint.as_ref());
            let told = before.map_or(0, |before| before.escalations.len());
            let new = case.complaint.escalations.get(told..).unwrap_or_default();
            if new.iter().any(|one| one.texted) {
                self.text_duty_staff(&case.complaint, changes, now);
            }
            let before = self.complaints.get(&id).map(|held| held.complaint.as_ref());
            let Some(asked) = asked(before, &case.complaint, now) else {
                continue;
            };
            let mut entries = changes.entries.iter().rev();
            if let Some(last) = entries.find(|entry| entry.complaint == id) {
                let mut text = NewSms::of(id, last.key, asked, now);
                text.is_held = self.may_have_been_sent(id, changes);
                self.written.texts.push(text);
            }
        }
    }

    /// Whether what a desk brings is from before the hub was put back: the
    /// customer may have been told of it then.
    fn may_have_been_sent(&self, id: ComplaintId, changes: &Changes) -> bool {
        let Some(restored_at) = self.restored_at else {
            return false;
        };
        let entries = changes.entries.iter();
        let from_desk = entries.filter(|one| one.complaint == id && one.key.device != self.device);
        // What was written before it was judged can be read.
        let times = from_desk.filter_map(|one| Some(one.sealed.open().ok()?.at.trusted()));
        times.max().is_some_and(|last| last < restored_at)
    }

    /// What was to be told of the complaint before the hub was put back: it may
    /// have been told then, and its duty staff been woken. It is written now, so
    /// that its moment is the policy's and not the event's.
    fn reached_before_restoring(&self, id: ComplaintId, now: DateTime<Utc>) -> Vec<Name> {
        let known = self.restored_at.zip(self.complaints.get(&id));
        let Some((restored_at, held)) = known else {
            return Vec::new();
        };
        let reached = escalation::reached(&held.complaint, &self.time, now).into_iter();
        let of_before = reached.filter(|one| one.at < restored_at);
        of_before.map(|one| one.name()).collect()
    }

    /// Of whom an escalation addresses, those with a duty telephone, but for
    /// whom the complaint is about and their line.
    fn text_duty_staff(&mut self, complaint: &Complaint, changes: &Changes, now: DateTime<Utc>) {
        let barred = self.lines.barred(complaint);
        let managers = self.on_duty.iter().filter_map(OnDuty::manages);
        let managers: Vec<_> = managers.collect();
        let of_before = self.reached_before_restoring(complaint.id, now);
        let own = changes
            .entries
            .iter()
            .filter(|entry| entry.complaint == complaint.id && entry.key.device == self.device);
        for entry in own {
            let Some(one) = texted(entry) else { continue };
            let addressee = escalation::addressee_but(complaint, &one, &barred, &managers);
            for person in &self.on_duty {
                let Some(phone) = &person.phone else { continue };
                let (staff, role, branch) = (person.staff, person.role, person.branch.as_ref());
                let addressed = escalation::is_addressed(&addressee, staff, role, branch);
                if addressed && !barred.contains(&staff) {
                    let deadline = DutyDeadline {
                        clock: one.clock,
                        due: one.due,
                    };
                    let duty = Duty { staff, deadline };
                    let mut text = NewSms::to_duty(complaint, entry.key, duty, phone, now);
                    text.is_held = of_before.contains(&one.name());
                    self.written.texts.push(text);
                }
            }
        }
    }

    /// A later batch of the group may repeat it, as it is or under a new number.
    fn remember(&mut self, key: &EventKey, hash: Hash) {
        if !self.renamed.is_empty() {
            let name = Origin {
                key: *key,
                hash: hash.to_string(),
            };
            if self.renamed.contains(&name) {
                self.arrived.insert(name);
            }
        }
        self.known
            .entry((key.device, key.incarnation, key.lane))
            .or_default()
            .entry(key.n)
            .or_insert(hash);
    }

    fn keep_case(&mut self, case: Case) {
        let id = case.complaint.id;
        let reference = case.complaint.reference.clone();
        self.references.insert(reference, id);
        let lease_before = self.complaints.get(&id).and_then(|held| held.lease_until);
        let lease_until = if case.claim_changed {
            case.complaint.claim.as_ref().map(|claim| claim.until)
        } else {
            lease_before
        };
        self.complaints.insert(
            id,
            Held {
                complaint: Arc::clone(&case.complaint),
                lease_until,
            },
        );
        let earlier = self.written.cases.remove(&id);
        let merged = Case {
            text_changed: case.text_changed || earlier.as_ref().is_some_and(|e| e.text_changed),
            claim_changed: case.claim_changed || earlier.as_ref().is_some_and(|e| e.claim_changed),
            beside_changed: case.beside_changed
                || earlier.as_ref().is_some_and(|e| e.beside_changed),
            tasks_changed: case.tasks_changed || earlier.as_ref().is_some_and(|e| e.tasks_changed),
            duties_changed: case.duties_changed
                || earlier.as_ref().is_some_and(|e| e.duties_changed),
            complaint: case.complaint,
        };
        self.written.cases.insert(id, merged);
    }
}

/// The escalation that an event of the hub's own tells, when it is texted.
fn texted(entry: &Entry) -> Option<Escalation> {
    let event = entry.sealed.open().ok()?;
    let Fact::Escalated {
        clock,
        task,
        level,
        due,
        texted: true,
    } = event.fact
    else {
        return None;
    };
    let at = event.at.trusted();
    Some(Escalation {
        clock,
        task,
        level,
        due,
        at,
        texted: true,
    })
}

/// Where the hub's own lane ends after the pen's writing.
fn own_head(pen: &Pen) -> Head {
    Head {
        device: pen.device,
        incarnation: pen.incarnation,
        lane: Pen::LANE,
        head: pen.head,
    }
}
