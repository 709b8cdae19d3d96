//! Recording a complaint: from a complete form to state, ledger, outbox and
//! search index in one transaction. The form and the import come through here.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::SqliteConnection;
use suda_domain::clocks::{self, Clock};
use suda_domain::fact::{Assignee, HandoffCause, Source, SuggestionTrace};
use suda_domain::intake::{self, Field, Problem, ProblemCode};
use suda_domain::{
    Actor, Complaint, ComplaintId, Complexity, Fact, Grade, Intake, ReferenceNumber, Refusal,
    StaffId, Stamp,
};
use suda_sync::receipt_key::status_link;
use suda_sync::statistics::Counts;

use crate::advise::is_override;
use crate::clock::{from_ms, to_millisecond};
use crate::desk::{Desk, Enrolled, Inner, heads};
use crate::fold;
use crate::mask::excerpt;
use crate::pen::{Pen, PenError};
use crate::session::{Session, SessionError};
use crate::statistics::tally::chosen;
use crate::store::barrier::Reader;
use crate::store::complaints::{self, StateRow};
use crate::store::ledger::NewEvent;
use crate::store::{StoreError, WriteTx, clock, incarnation};
use crate::view::{Assessment, ReceiptView};

/// Why a complaint was not recorded. The draft is still there.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("the form is not complete")]
    Problems(Vec<Problem>),
    #[error("say why you decide otherwise than suggested")]
    OverrideReasonMissing,
    #[error("the reason is longer than {limit} characters")]
    ReasonTooLong { limit: u32 },
    /// The form stays; a colleague has to go on with it.
    #[error("the complaint is about who records it, or about somebody below them")]
    AboutYou,
    #[error(transparent)]
    Refused(Refusal),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PenError> for RecordError {
    fn from(error: PenError) -> Self {
        match error {
            PenError::Refused(refusal) => Self::Refused(refusal),
            PenError::Json(error) => Self::Store(error.into()),
        }
    }
}

/// A complaint ready to be written.
pub(crate) struct Entry {
    pub(crate) id: ComplaintId,
    pub(crate) intake: Intake,
    pub(crate) assessment: Assessment,
    /// Whom of the branch it is about.
    pub(crate) about: Option<Assignee>,
    pub(crate) suggestion: SuggestionTrace,
    pub(crate) arrived_at: DateTime<Utc>,
    pub(crate) late: bool,
    pub(crate) source: Source,
    /// Handed off at once, or kept in the branch.
    pub(crate) handoff: Option<HandoffCause>,
}

/// A complaint as it goes into the store.
pub(crate) struct Written {
    pub(crate) row: StateRow,
    pub(crate) events: Vec<NewEvent>,
}

impl Desk {
    /// Records the form as a complaint. Asked again with the same draft, gives
    /// the same receipt and writes nothing.
    pub async fn record(
        &self,
        session: &Session,
        draft: ComplaintId,
        intake: Intake,
        assessment: Assessment,
        arrived_at: Option<DateTime<Utc>>,
    ) -> Result<ReceiptView, RecordError> {
        let begun_ms = self.inner.time.clock.mono_ms();
        let (enrolled, actor) = self.inner.at_work(session)?;
        let intake = intake.cleaned();
        let assessment = complete(assessment);
        let reason = assessment.override_reason.as_deref().unwrap_or_default();
        if reason.chars().count() > intake::STEP_TEXT_LIMIT as usize {
            let limit = intake::STEP_TEXT_LIMIT;
            return Err(RecordError::ReasonTooLong { limit });
        }
        let suggestion = self
            .inner
            .suggest(&enrolled, &intake, session.staff_id())
            .await;
        let (mut tx, form) = self.inner.store.begin_form(draft).await?;
        if form.recorded {
            let known = complaints::get(tx.conn(), draft, &Reader::program()).await?;
            tx.commit().await?;
            let known = known.ok_or(RecordError::Refused(Refusal::AlreadyRecorded))?;
            return Ok(receipt(&enrolled, &known.complaint));
        }
        let now = self.inner.now();
        let opened_at = match form.opened {
            Some(opened) => from_ms(opened.at_ms),
            None => opened_by_id(draft, &self.inner),
        };
        let given = arrived_at.map(to_millisecond);
        let problems = problems(&enrolled, &intake, given, now);
        if !problems.is_empty() {
            tx.commit().await?;
            return Err(RecordError::Problems(problems));
        }
        if is_override(&suggestion, &intake, &assessment) && assessment.override_reason.is_none() {
            tx.commit().await?;
            return Err(RecordError::OverrideReasonMissing);
        }
        let about = match assessment.about {
            None => None,
            Some(staff) => {
                let staff = enrolled.workers().find(|one| one.id == staff);
                Some(staff.ok_or(RecordError::Refused(Refusal::OtherBranch))?)
            }
        };
        if about.is_some_and(|staff| enrolled.is_near(staff.id, session.staff_id())) {
            tx.commit().await?;
            return Err(RecordError::AboutYou);
        }
        let about = about.map(|staff| Assignee {
            staff: staff.id,
            name: staff.name.clone(),
        });
        // A form can be opened while the clock is ahead and recorded after it
        // was put right; a person may read a clock that is ahead.
        let arrived_at = given.unwrap_or(opened_at).min(now);
        let written_down_later =
            TimeDelta::minutes(i64::from(enrolled.directory.policy.assessment));
        let chosen = chosen(&suggestion, &intake, &assessment);
        let entry = Entry {
            id: draft,
            handoff: (assessment.complexity == Complexity::Complex).then_some(HandoffCause::Manual),
            intake,
            assessment,
            about,
            suggestion: suggestion.trace(),
            arrived_at,
            late: given.is_some_and(|at| at + written_down_later < opened_at.min(now)),
            source: Source::Form,
        };
        let at = self.inner.stamp();
        let written = self
            .inner
            .compose(&mut tx, &enrolled, &actor, at, entry)
            .await?;
        let opened_in = form.opened.and_then(|opened| opened.stretch);
        if let (None, Some(stretch)) = (given, opened_in) {
            clock::note_arrival(tx.conn(), draft, stretch).await?;
        }
        let saved = tx.commit_with(&written.row, &written.events).await;
        self.count_save(
            begun_ms,
            chosen,
            form.opened.map(|_| now - opened_at),
            &saved,
        );
        saved?;
        self.adopt_from_form(draft).await;
        self.inner.tell_written();
        Ok(receipt(&enrolled, &written.row.complaint))
    }

    fn count_save(
        &self,
        begun_ms: u64,
        chosen: Counts,
        open: Option<TimeDelta>,
        saved: &Result<(), StoreError>,
    ) {
        let inner = &self.inner;
        if saved.is_err() {
            return inner.tally.count(|counts| counts.saves_failed += 1);
        }
        let took_ms = inner.time.clock.mono_ms().saturating_sub(begun_ms);
        let open_s = open.and_then(|open| u64::try_from(open.num_seconds()).ok());
        inner.tally.saved(&chosen, open_s, took_ms);
    }

    /// The receipt of a recorded complaint, to print it again.
    pub async fn receipt(
        &self,
        session: &Session,
        id: ComplaintId,
    ) -> Result<ReceiptView, crate::ReadError> {
        let (enrolled, _) = self.inner.at_work(session)?;
        let reader = enrolled.reader(session.staff_id())?;
        let mut conn = self.inner.store.read().await?;
        let stored = complaints::get(&mut conn, id, &reader)
            .await?
            .ok_or(crate::ReadError::NotFound)?;
        Ok(receipt(&enrolled, &stored.complaint))
    }
}

/// Grade 1 is always complex; a reason of blanks is none.
fn complete(mut assessment: Assessment) -> Assessment {
    if assessment.grade == Grade::One {
        assessment.complexity = Complexity::Complex;
    }
    assessment.override_reason = assessment
        .override_reason
        .map(|reason| suda_domain::text::clean(&reason))
        .filter(|reason| !reason.is_empty());
    assessment
}

/// What keeps a cleaned form from being recorded.
pub(crate) fn problems(
    enrolled: &Enrolled,
    form: &Intake,
    arrived_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Vec<Problem> {
    let mut problems = form.problems(&enrolled.directory.categories, now);
    if arrived_at.is_some_and(|at| intake::is_in_the_future(at, now)) {
        let code = ProblemCode::InTheFuture;
        problems.push(Problem {
            field: Field::ArrivedAt,
            code,
            limit: None,
        });
    }
    problems
}

/// The id is made when the form opens and holds that moment (UUID version 7).
fn opened_by_id(id: ComplaintId, inner: &Inner) -> DateTime<Utc> {
    let made = id.0.get_timestamp().map(|stamp| {
        let (seconds, nanos) = stamp.to_unix();
        let ms = i64::try_from(seconds).unwrap_or_default() * 1000 + i64::from(nanos / 1_000_000);
        from_ms(ms) + inner.time.copy().working.offset()
    });
    made.unwrap_or_else(|| inner.now())
}

impl Inner {
    /// Composes a complaint's facts and state row, numbered for the
    /// transaction, which has to write them next.
    pub(crate) async fn compose(
        &self,
        tx: &mut WriteTx<'_>,
        enrolled: &Enrolled,
        actor: &Actor,
        at: Stamp,
        entry: Entry,
    ) -> Result<Written, RecordError> {
        let reference = next_reference(tx, enrolled, at.trusted()).await?;
        let id = entry.id;
        let mut state = None;
        let mut pen = Pen {
            device: &enrolled.device,
            heads: heads(tx, enrolled).await?,
            actor,
            at,
            events: Vec::with_capacity(3),
        };
        let recorded = Fact::Recorded {
            reference,
            arrived_at: entry.arrived_at,
            late: entry.late,
            source: entry.source,
            intake: Box::new(entry.intake.clone()),
        };
        pen.write(id, &mut state, recorded)?;
        if let Some(about) = entry.about {
            let recused = Fact::Recused {
                staff: about.staff,
                name: about.name,
                // What happened is the reason.
                reason: excerpt(&entry.intake.description),
            };
            pen.write(id, &mut state, recused)?;
        }
        let assessed = Fact::Assessed {
            category: entry.intake.category,
            grade: entry.assessment.grade,
            complexity: entry.assessment.complexity,
            suggestion: Some(entry.suggestion),
            override_reason: entry.assessment.override_reason,
        };
        pen.write(id, &mut state, assessed)?;
        match entry.handoff {
            Some(cause) => pen.hand_off(&mut state, cause)?,
            None => pen.write(id, &mut state, Fact::KeptInBranch)?,
        }
        let events = pen.events;
        let complaint = state.ok_or(RecordError::Refused(Refusal::NotABeginning))?;
        let row = fold::state_row(complaint, &enrolled.keep, None);
        Ok(Written { row, events })
    }
}

/// The day's next number. The last one is in the complaints themselves, and
/// remembered from one to the next.
async fn next_reference(
    tx: &mut WriteTx<'_>,
    enrolled: &Enrolled,
    now: DateTime<Utc>,
) -> Result<ReferenceNumber, StoreError> {
    let day = civil_day(enrolled, now);
    let (branch, letter) = (&enrolled.directory.branch, &enrolled.device.desk_letter);
    let (conn, cache) = tx.parts();
    let last = match cache.running {
        Some((cached, n)) if cached == day => n,
        _ => last_running(conn, enrolled, day).await?,
    };
    cache.running = Some((day, last + 1));
    ReferenceNumber::compose(branch, day, letter, last + 1)
        .map_err(|error| StoreError::Malformed(Box::new(error)))
}

/// The day at the branch.
pub(crate) fn civil_day(enrolled: &Enrolled, now: DateTime<Utc>) -> NaiveDate {
    enrolled.keep.zone_at(now).local(now).date()
}

/// The last running number of a day that is given away.
pub(crate) async fn last_running(
    conn: &mut SqliteConnection,
    enrolled: &Enrolled,
    day: NaiveDate,
) -> Result<u32, StoreError> {
    let (branch, letter) = (&enrolled.directory.branch, &enrolled.device.desk_letter);
    let prefix = format!("{branch}-{}-{letter}-", day.format("%y%m%d"));
    let last = complaints::last_with_prefix(conn, &prefix).await?;
    let known = last.and_then(|number| running(number.strip_prefix(&prefix)?));
    let floor = incarnation::reference_floor(conn, day).await?;
    Ok(known.unwrap_or_default().max(floor))
}

/// The running number before the check characters.
fn running(tail: &str) -> Option<u32> {
    tail.split_once('-')?.0.parse().ok()
}

/// What the customer gets on paper.
pub(crate) fn receipt(enrolled: &Enrolled, complaint: &Complaint) -> ReceiptView {
    let directory = &enrolled.directory;
    let deadlines = clocks::deadlines(complaint, &enrolled.keep);
    let respond_by = deadlines
        .iter()
        .find(|deadline| deadline.clock == Clock::FirstResponse)
        .or_else(|| deadlines.iter().max_by_key(|deadline| deadline.due))
        .map_or(complaint.arrived_at, |deadline| deadline.due);
    let (category_zh, category_en) = enrolled.category_names(&complaint.intake.category);
    let qr = match &directory.status_url {
        Some(page) => status_link(page, &complaint.reference, complaint.id),
        None => complaint.reference.to_string(),
    };
    ReceiptView {
        id: complaint.id,
        reference: complaint.reference.clone(),
        organisation: directory.organisation.clone(),
        branch: complaint.branch.clone(),
        branch_name: directory.branch_name.clone(),
        clerk_name: complaint.recorded_by.name.clone(),
        arrived_at: complaint.arrived_at,
        recorded_at: complaint.recorded_at,
        category_zh,
        category_en,
        grade: complaint.grade,
        complexity: complaint.complexity,
        respond_by,
        qr,
    }
}

impl Enrolled {
    /// Whether `staff` is the person, or stands above them.
    fn is_near(&self, about: StaffId, staff: StaffId) -> bool {
        about == staff || self.lines.above(about).contains(&staff)
    }

    /// The category's names; its code when the tree does not know it.
    pub(crate) fn category_names(&self, code: &str) -> (String, String) {
        match self.directory.categories.get(code) {
            Some(category) => (category.zh.clone(), category.en.clone()),
            None => (code.to_owned(), code.to_owned()),
        }
    }
}
