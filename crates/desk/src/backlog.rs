//! Lists, one case, the search and the status line: from stored rows to what
//! the screens show. Reads only.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use suda_domain::breach;
use suda_domain::clocks;
use suda_domain::complaint::{Owner, Task};
use suda_domain::duty;
use suda_domain::fact::{Assignee, HandoffCause};
use suda_domain::guidance;
use suda_domain::time::Timekeeping;
use suda_domain::trusted::Corrections;
use suda_domain::{
    Actor, Complaint, ComplaintId, Fact, FactKind, LedgerEvent, ReferenceNumber, StaffId,
};
use suda_sync::phone::PhoneCode;

use crate::clock::from_ms;
use crate::desk::{Desk, Enrolled, Inner};
use crate::mask::{excerpt, masked_name};
use crate::pen::packet;
use crate::session::{Session, SessionError};
use crate::store::barrier::Reader;
use crate::store::compared::{self, Found};
use crate::store::complaints::{List, Place, Stored};
use crate::store::incarnation::Receipted;
use crate::store::ledger::{StoredEvent, signed};
use crate::store::{StoreError, complaints, evidence, incarnation, ledger, outbox, search};
use crate::take_over::course_of;
use crate::view::{
    CasePage, CaseRow, CaseView, Delivery, ExplainedDeadline, LinkTrouble, Scope, StatusView,
    TaskProgress, TimelineEntry,
};

/// Why something cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("there is no such complaint on this computer")]
    NotFound,
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lines a page may have.
const PAGE_LIMIT: u32 = 500;
/// The clock difference from which a person is told, in seconds.
const CLOCK_WARNING_S: i64 = 60;
/// Digits of a ledger hash shown, enough to compare on the telephone.
const HASH_DIGITS: usize = 8;

impl Desk {
    /// A page of the backlog; `after` is the `next` of the page before.
    pub async fn cases(
        &self,
        session: &Session,
        scope: Scope,
        after: Option<String>,
        limit: u32,
    ) -> Result<CasePage, ReadError> {
        let (enrolled, _) = self.inner.at_work(session)?;
        let reader = enrolled.reader(session.staff_id())?;
        let list = match scope {
            Scope::Mine => List::Of(session.staff_id()),
            scope => List::In(scope),
        };
        self.inner
            .cases(list, after.as_deref(), limit, &reader)
            .await
    }

    /// One complaint, whole, with what the person may do now.
    pub async fn case(&self, session: &Session, id: ComplaintId) -> Result<CaseView, ReadError> {
        let (enrolled, actor) = self.inner.at_work(session)?;
        let reader = enrolled.reader(session.staff_id())?;
        let mut conn = self.inner.store.read().await?;
        let stored = complaints::get(&mut conn, id, &reader)
            .await?
            .ok_or(ReadError::NotFound)?;
        drop(conn);
        self.inner.case(stored, Some(&actor), &reader).await
    }

    /// Complaints by reference number, phone digits or words, the newest first.
    pub async fn search(
        &self,
        session: &Session,
        text: &str,
        limit: u32,
    ) -> Result<Vec<CaseRow>, ReadError> {
        let (enrolled, _) = self.inner.at_work(session)?;
        let reader = enrolled.reader(session.staff_id())?;
        self.inner.search(text, limit, &reader).await
    }

    /// The status line.
    pub async fn status(&self) -> Result<StatusView, ReadError> {
        let inner = &self.inner;
        let enrolled = inner.enrolled()?;
        let (device, incarnation) = enrolled.identity();
        let mut conn = inner.store.read().await?;
        let heads = ledger::heads(&mut conn, device, incarnation).await?;
        let receipted = incarnation::receipted(&mut conn, incarnation).await?;
        let unsent = heads
            .iter()
            .zip(receipted.acked)
            .zip(receipted.past_unsent())
            .map(|((head, acked), past)| head.n.saturating_sub(acked) + past);
        let unsent: Vec<u32> = unsent.map(to_u32).collect();
        let oldest = outbox::oldest_unsent(&mut conn, (device, incarnation)).await?;
        let older = incarnation::oldest_unsent(&mut conn).await?;
        let oldest = [oldest, older].into_iter().flatten().min();
        let clock = inner.time.view();
        let lan = self.lan().await?;
        let log_differs = compared::compared(&mut conn).await?.found == Found::Differs;
        Ok(StatusView {
            link: inner.link(),
            trouble: inner
                .trouble()
                .or(log_differs.then_some(LinkTrouble::LogDiffers)),
            unsent: unsent.iter().sum(),
            unsent_urgent: unsent.first().copied().unwrap_or_default(),
            oldest_unsent_at: oldest.map(from_ms),
            set_aside: to_u32(outbox::count_set_aside(&mut conn).await?),
            last_receipt_at: outbox::last_receipt_at(&mut conn).await?.map(from_ms),
            open: to_u32(complaints::count(&mut conn, Scope::Open).await?),
            with_experts: to_u32(complaints::count(&mut conn, Scope::WithExperts).await?),
            next_deadline: complaints::next_deadline(&mut conn).await?.map(from_ms),
            clock_off_by_s: clock.off_by_s.filter(|s| s.abs() > CLOCK_WARNING_S),
            clock,
            device_letter: enrolled.device.desk_letter.clone(),
            lan: lan.role,
            lan_connected: lan.connected,
            evidence_waiting: to_u32(evidence::count_waiting(&mut conn).await?.0),
            evidence_needs_newer_hub: inner.hub_takes_no_evidence.load(Ordering::Relaxed),
            safety: inner.safety_view(),
        })
    }
}

fn to_u32(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Inner {
    pub(crate) async fn cases(
        &self,
        list: List,
        after: Option<&str>,
        limit: u32,
        reader: &Reader,
    ) -> Result<CasePage, ReadError> {
        let enrolled = self.enrolled()?;
        let limit = limit.clamp(1, PAGE_LIMIT);
        let mut conn = self.store.read().await?;
        let mut found = complaints::list(
            &mut conn,
            list,
            after.and_then(parse_place),
            i64::from(limit) + 1,
            reader,
        )
        .await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found
            .last()
            .filter(|_| more)
            .map(|s| format!("{}.{}", s.rank, s.row));
        Ok(CasePage {
            total: to_u32(complaints::count_list(&mut conn, list).await?),
            rows: found
                .iter()
                .map(|stored| self.row(&enrolled, stored))
                .collect(),
            next,
        })
    }

    pub(crate) async fn search(
        &self,
        text: &str,
        limit: u32,
        reader: &Reader,
    ) -> Result<Vec<CaseRow>, ReadError> {
        let enrolled = self.enrolled()?;
        let mut conn = self.store.read().await?;
        let by_number = match text.parse::<ReferenceNumber>() {
            Ok(reference) => complaints::by_reference(&mut conn, &reference, reader).await?,
            Err(_) => None,
        };
        let found = match by_number {
            Some(stored) => vec![stored],
            None => {
                let limit = i64::from(limit.clamp(1, PAGE_LIMIT));
                search::find(&mut conn, text, limit, reader).await?
            }
        };
        Ok(found
            .iter()
            .map(|stored| self.row(&enrolled, stored))
            .collect())
    }

    pub(crate) async fn case(
        &self,
        stored: Stored,
        actor: Option<&Actor>,
        reader: &Reader,
    ) -> Result<CaseView, ReadError> {
        let enrolled = self.enrolled()?;
        let mut conn = self.store.read().await?;
        let events = ledger::of_complaint(&mut conn, stored.complaint.id).await?;
        let (_, incarnation) = enrolled.identity();
        let receipted = incarnation::receipted(&mut conn, incarnation).await?;
        let set_aside = outbox::set_aside_of(&mut conn, stored.complaint.id).await?;
        drop(conn);
        let mut timeline = Vec::with_capacity(events.len());
        let course = course_of(&events);
        for event in &events {
            let place = (i64::from(event.key.lane.number()), signed(event.key.n));
            let is_set_aside = event.own && set_aside.contains(&place);
            let mut entry = timeline_entry(event, &receipted, is_set_aside)?;
            entry.late_note = course.late.contains(&event.key);
            timeline.push(entry);
        }
        let row = self.row(&enrolled, &stored);
        put_right(&mut timeline, &events);
        self.leave_out_links(&mut timeline, reader).await?;
        let complaint = stored.complaint;
        let may = |kind: FactKind| actor.is_some_and(|actor| may_now(&complaint, actor, kind));
        let can = [
            may(FactKind::Settled),
            may(FactKind::HandedOff),
            may(FactKind::Noted),
            may(FactKind::Withdrawn),
            may(FactKind::Assigned),
            may(FactKind::TakenOver) && course.keeper != Some(enrolled.device.device),
            may(FactKind::Replied),
        ];
        let [
            can_settle,
            can_hand_off,
            can_note,
            can_withdraw,
            can_assign,
            can_take_over,
            can_reply,
        ] = can;
        let category = &complaint.intake.category;
        Ok(CaseView {
            row,
            recorded_at: complaint.recorded_at,
            late: complaint.late,
            owner_no: complaint.owner_no,
            with_experts: matches!(complaint.owner, Owner::Team(_)),
            expert_name: complaint
                .claim
                .as_ref()
                .map(|claim| claim.expert_name.clone()),
            return_reason: complaint.return_reason.clone(),
            handoff_cause: complaint.handoff_cause,
            answer_text: complaint.answer.as_ref().map(|answer| answer.text.clone()),
            answer_remedy: complaint
                .answer
                .as_ref()
                .map(|answer| answer.remedy.clone()),
            deadlines: explained(&complaint, &enrolled.keep),
            guidance: guidance::for_category(&enrolled.directory.guidance, category).cloned(),
            matter: enrolled.matter_of(&complaint),
            phone_code: PhoneCode::of(complaint.id).grouped(),
            timeline,
            tasks: complaint.tasks.iter().map(task_progress).collect(),
            extension: complaint.extension_granted(None).cloned(),
            paused: complaint.paused().cloned(),
            cycle: complaint.cycle,
            most_to_give: complaint.most_to_give(enrolled.keep.latest().compensation_limit),
            questions: complaint.questions,
            plan: complaint.plan,
            call_back: complaint.call_back,
            rating: complaint.rating,
            can_settle,
            can_hand_off,
            can_note,
            can_withdraw,
            can_assign,
            can_take_over,
            recused: complaint.recused,
            can_reply,
            intake: complaint.intake,
        })
    }

    /// A line that names another complaint is not for who may not see that one.
    async fn leave_out_links(
        &self,
        timeline: &mut Vec<TimelineEntry>,
        reader: &Reader,
    ) -> Result<(), StoreError> {
        let mut conn = self.store.read().await?;
        let mut shown = Vec::with_capacity(timeline.len());
        for entry in timeline.drain(..) {
            let other = match &entry.fact {
                Fact::Linked { to, .. } | Fact::Unlinked { to, .. } => Some(*to),
                _ => None,
            };
            let is_hidden = match other {
                None => false,
                // One of another branch is not here, and bars nobody of this one.
                Some(id) => {
                    let is_here = complaints::get(&mut conn, id, &Reader::program()).await?;
                    is_here.is_some() && complaints::get(&mut conn, id, reader).await?.is_none()
                }
            };
            if !is_hidden {
                shown.push(entry);
            }
        }
        *timeline = shown;
        Ok(())
    }

    pub(crate) fn row(&self, enrolled: &Enrolled, stored: &Stored) -> CaseRow {
        let complaint = &stored.complaint;
        let intake = &complaint.intake;
        let (category_zh, category_en) = enrolled.category_names(&intake.category);
        let deadlines = clocks::deadlines(complaint, &enrolled.keep);
        let next = clocks::nearest(&deadlines);
        let missed = next.filter(|deadline| deadline.is_breached(self.now()));
        CaseRow {
            breach: missed.map(|deadline| breach::cause(complaint, deadline.due)),
            id: complaint.id,
            reference: complaint.reference.clone(),
            state: complaint.state,
            grade: complaint.grade,
            complexity: complaint.complexity,
            category_zh,
            category_en,
            customer: masked_name(&intake.name),
            excerpt: excerpt(&intake.description),
            clerk_name: complaint.recorded_by.name.clone(),
            arrived_at: complaint.arrived_at,
            next: next.copied(),
            delivery: delivery(stored.undelivered, stored.set_aside),
            mine: stored.mine,
            assigned: complaint.assigned.clone(),
            follows: complaint.leading().map(|link| link.relation),
            asked_at: duty::asked_of_branch(complaint),
        }
    }
}

fn delivery(waiting: bool, set_aside: bool) -> Delivery {
    match (set_aside, waiting) {
        (true, _) => Delivery::SetAside,
        (false, true) => Delivery::SavedHere,
        (false, false) => Delivery::AtHub,
    }
}

fn parse_place(text: &str) -> Option<Place> {
    let (rank, row) = text.split_once('.')?;
    Some(Place {
        rank: rank.parse().ok()?,
        row: row.parse().ok()?,
    })
}

/// Whether the rules would let this person write such a fact now, its contents
/// left aside.
fn may_now(complaint: &Complaint, actor: &Actor, kind: FactKind) -> bool {
    let given = || "…".to_owned();
    let fact = match kind {
        FactKind::Settled => Fact::Settled {
            summary: given(),
            remedy: given(),
            amount_minor: None,
            guidance: None,
            deviation: String::new(),
        },
        FactKind::Noted => Fact::Noted { text: given() },
        FactKind::Withdrawn => Fact::Withdrawn { reason: given() },
        FactKind::Assigned => Fact::Assigned {
            to: Assignee {
                staff: StaffId(uuid::Uuid::nil()),
                name: given(),
            },
        },
        FactKind::TakenOver => Fact::TakenOver { reason: given() },
        FactKind::Replied => Fact::Replied {
            question: match complaint.questions.last() {
                Some(asked) => asked.id,
                None => return false,
            },
            text: given(),
        },
        FactKind::HandedOff => {
            let cause = HandoffCause::Manual;
            Fact::HandedOff {
                packet: Box::new(packet(complaint, cause, 0)),
                cause,
            }
        }
        _ => return false,
    };
    complaint.admit(actor, &fact).is_ok()
}

/// Every clock with why its deadline is when it is.
fn explained(complaint: &Complaint, keep: &Timekeeping) -> Vec<ExplainedDeadline> {
    let clocks = clocks::deadlines(complaint, keep).into_iter();
    clocks
        .map(|deadline| ExplainedDeadline {
            why: clocks::why(complaint, keep, &deadline),
            deadline,
        })
        .collect()
}

fn task_progress(task: &Task) -> TaskProgress {
    TaskProgress {
        department_name: task.department_name.clone(),
        state: task.state,
        due_at: task.due_at,
    }
}

fn timeline_entry(
    stored: &StoredEvent,
    receipted: &Receipted,
    is_set_aside: bool,
) -> Result<TimelineEntry, StoreError> {
    let event: LedgerEvent = serde_json::from_str(&stored.body)?;
    let kind = event.fact.kind();
    let at = event.at.trusted();
    let apart = (at - event.at.wall).abs() > TimeDelta::seconds(CLOCK_WARNING_S);
    let unreceipted = stored.own && !receipted.covers(&stored.key);
    let waiting = unreceipted || stored.is_of_branch_alone();
    Ok(TimelineEntry {
        at,
        wall: apart.then_some(event.at.wall),
        was: None,
        kind,
        actor_name: event.actor.name,
        actor_role: event.actor.role,
        late_note: false,
        delivery: delivery(waiting, is_set_aside),
        hash: stored.hash.to_string().chars().take(HASH_DIGITS).collect(),
        fact: event.fact,
    })
}

/// Shows the steps at their corrected times.
fn put_right(timeline: &mut [TimelineEntry], events: &[StoredEvent]) {
    let corrections = Corrections::of(timeline.iter().zip(events).map(|(e, s)| (s.key, &e.fact)));
    for (entry, stored) in timeline.iter_mut().zip(events) {
        if let Some(is) = corrections.of_step(stored.key) {
            entry.was = Some(entry.at);
            entry.at = is;
        }
    }
}
