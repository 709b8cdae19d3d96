//! What the screens are shown: plain shapes, made from the store, never
//! written back. No rule and no SQL here.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::breach::BreachCause;
use suda_domain::clocks::Deadline;
use suda_domain::complaint::{CallBack, Extension, Paused, Planned, Question, Rating, TaskState};
use suda_domain::escalation::Escalation;
use suda_domain::fact::{Assignee, FactKind, HandoffCause};
use suda_domain::guidance::Guidance;
use suda_domain::intake::Problem;
use suda_domain::time::Stretch;
use suda_domain::{
    BranchCode, ComplaintId, Complexity, DeviceId, EvidenceId, EvidenceKind, Fact, Grade, Intake,
    Recusal, ReferenceNumber, Relation, Role, StaffId, State,
};
use suda_judge::Suggestion;
pub use suda_judge::answers::AnswerSuggestion;

use crate::lan::LanRole;
use crate::model::ModelStatus;
use crate::safety::SafetyView;

/// A member of staff as the sign-in screen lists them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct StaffView {
    pub id: StaffId,
    pub login: String,
    pub name: String,
    pub role: Role,
}

/// Who is signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SessionView {
    pub staff: StaffView,
    pub branch: BranchCode,
    pub branch_name: String,
    pub organisation: String,
    /// Minutes without input until the screen locks.
    pub idle_lock: u32,
}

/// A form not yet recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DraftView {
    pub id: ComplaintId,
    /// When the form was opened: the customer's arrival unless changed.
    pub opened_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    pub intake: Intake,
    pub chosen: Chosen,
}

/// What the person has decided so far beside the form; what is left open
/// follows the suggestion.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Chosen {
    pub grade: Option<Grade>,
    pub complexity: Option<Complexity>,
    pub override_reason: String,
    /// Whom of the branch's staff the complaint is about.
    #[serde(default)]
    pub about: Option<StaffId>,
    /// The customer's arrival, where it is not the opening of the form.
    pub arrived_at: Option<DateTime<Utc>>,
}

/// What is proposed while the form is filled in.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct AdviceView {
    pub suggestion: Suggestion,
    /// For the chosen category, else the suggested one.
    pub guidance: Option<Guidance>,
    /// What still keeps the form from being recorded.
    pub problems: Vec<Problem>,
    /// Complaints this customer made before, as far as is known here.
    pub earlier: u32,
    /// How the hub's learned model stands on this desk.
    pub model: ModelStatus,
    /// What the form tells of that the centre knows already.
    pub matters: Vec<MatterView>,
}

/// A matter that several people have complained of, explained by the centre.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MatterView {
    pub id: String,
    /// Of what the complaints have in common; may be empty.
    pub title: String,
    /// What to tell the customer.
    pub say: String,
    pub reports: u32,
    /// When the first of them was captured.
    pub since: DateTime<Utc>,
    /// What of the text tells of it; empty when it belongs by its category, or
    /// the centre has found it to.
    pub matched: Vec<String>,
}

/// Why a complaint may belong with a form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TwinReason {
    SamePhone,
    SameAccount,
    SameName,
    SameText,
    /// The text is near: by how many hundredths, and what both say.
    Alike {
        percent: u8,
        shared: Vec<String>,
    },
}

/// A complaint on this computer that may belong with a form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct TwinView {
    pub row: CaseRow,
    /// At least one.
    pub reasons: Vec<TwinReason>,
}

/// A complaint of another branch that may belong with a form: nothing of its
/// customer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct TwinElsewhereView {
    pub reference: ReferenceNumber,
    pub branch: BranchCode,
    pub branch_name: String,
    pub category_zh: String,
    pub category_en: String,
    pub state: State,
    /// The local day on which the customer came.
    pub day: NaiveDate,
    /// The customer has the telephone number that was typed.
    pub same_phone: bool,
    /// How near the text is, in hundredths; 100 is the same text.
    pub percent: u8,
}

/// The person's decision that goes with the form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Assessment {
    pub grade: Grade,
    pub complexity: Complexity,
    /// Required when category, grade or complexity differ from the suggestion.
    pub override_reason: Option<String>,
    /// Whom of the branch's staff the complaint is about.
    #[serde(default)]
    pub about: Option<StaffId>,
}

/// What the customer gets on paper.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ReceiptView {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    pub organisation: String,
    pub branch: BranchCode,
    pub branch_name: String,
    pub clerk_name: String,
    pub arrived_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub category_zh: String,
    pub category_en: String,
    pub grade: Option<Grade>,
    pub complexity: Option<Complexity>,
    /// By when the customer is told something at the latest.
    pub respond_by: DateTime<Utc>,
    /// What the QR code holds: the status address with the number, else the number.
    pub qr: String,
}

/// How far the contents of an evidence file are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum EvidenceDelivery {
    SavedHere,
    /// `received` bytes are at the hub, as it has signed.
    Partly,
    /// A signed receipt says so.
    AtHub,
    /// Added at another desk or at the centre; that one tells.
    Elsewhere,
}

/// An evidence file of a complaint or form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EvidenceView {
    pub id: EvidenceId,
    pub name: String,
    pub kind: EvidenceKind,
    pub media_type: String,
    #[cfg_attr(feature = "specta", specta(type = u32))]
    pub bytes: u64,
    pub sha256: String,
    pub added_by: String,
    pub added_at: DateTime<Utc>,
    /// Its contents are on this computer.
    pub here: bool,
    pub delivery: EvidenceDelivery,
    #[cfg_attr(feature = "specta", specta(type = u32))]
    pub received: u64,
}

/// How far a complaint's events are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Durable on this PC, not yet at the hub.
    SavedHere,
    /// The hub's signed receipt covers everything.
    AtHub,
    /// The hub has it, but set it aside: somebody there is to decide.
    SetAside,
}

/// One line of the backlog.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CaseRow {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    pub state: State,
    pub grade: Option<Grade>,
    pub complexity: Option<Complexity>,
    pub category_zh: String,
    pub category_en: String,
    /// Name with all but the family name masked.
    pub customer: String,
    /// The first 80 characters of the description.
    pub excerpt: String,
    pub clerk_name: String,
    pub arrived_at: DateTime<Utc>,
    /// The running clock that is due first.
    pub next: Option<Deadline>,
    pub delivery: Delivery,
    /// Whether it was recorded on this PC.
    pub mine: bool,
    /// Who of the branch is to see to it, when the manager has said.
    pub assigned: Option<Assignee>,
    /// It is answered with another case.
    pub follows: Option<Relation>,
    /// Why its nearest deadline was missed, when it was.
    pub breach: Option<BreachCause>,
    /// Since when a question of the centre waits for the branch's reply.
    pub asked_at: Option<DateTime<Utc>>,
}

/// Which lines to list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Open in the branch: to be settled or handed off. By next deadline.
    #[default]
    Open,
    /// Handed off and not yet answered.
    WithExperts,
    /// Answered, closed, withdrawn. Newest first.
    Done,
    All,
    /// Open in the branch, and given by the manager to the person signed in.
    Mine,
}

/// A page of the backlog.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CasePage {
    pub rows: Vec<CaseRow>,
    /// How many there are in the scope altogether.
    pub total: u32,
    /// Pass as `after` for the next page; absent at the end.
    pub next: Option<String>,
}

/// One line of a complaint's timeline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct TimelineEntry {
    pub at: DateTime<Utc>,
    /// The device's own clock when it differs from `at` by more than a minute.
    pub wall: Option<DateTime<Utc>>,
    /// The time as it stood before `at` was corrected at a contact with the hub.
    pub was: Option<DateTime<Utc>>,
    pub kind: FactKind,
    pub actor_name: String,
    pub actor_role: Role,
    pub fact: Fact,
    /// Written under an owner number that had passed.
    pub late_note: bool,
    pub delivery: Delivery,
    /// The first characters of the ledger hash, for comparing on the telephone.
    pub hash: String,
}

/// One complaint, whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CaseView {
    pub row: CaseRow,
    pub intake: Intake,
    pub recorded_at: DateTime<Utc>,
    pub late: bool,
    pub owner_no: u32,
    pub with_experts: bool,
    pub expert_name: Option<String>,
    pub return_reason: Option<String>,
    pub handoff_cause: Option<HandoffCause>,
    pub answer_text: Option<String>,
    pub answer_remedy: Option<String>,
    pub deadlines: Vec<ExplainedDeadline>,
    pub guidance: Option<Guidance>,
    /// What the centre knows it belongs to.
    pub matter: Option<MatterView>,
    /// In groups, to be read aloud to an expert when nothing else goes.
    pub phone_code: String,
    pub timeline: Vec<TimelineEntry>,
    /// Whom it is about.
    pub recused: Vec<Recusal>,
    /// What the experts and the departments asked the branch or the customer.
    pub questions: Vec<Question>,
    /// How far the departments are, as the branch may know it.
    pub tasks: Vec<TaskProgress>,
    /// Measures of the plan with their progress.
    pub plan: Vec<Planned>,
    /// Until when the answer was put off, with the reason.
    pub extension: Option<Extension>,
    /// For which reason clocks stand still.
    pub paused: Option<Paused>,
    pub call_back: CallBack,
    pub rating: Option<Rating>,
    /// From 1; each reopening begins another.
    pub cycle: u32,
    /// What the branch may give the customer at most, in the smallest unit of
    /// the currency; who wants to give more hands it off.
    pub most_to_give: u32,
    /// What the person signed in may do now.
    pub can_settle: bool,
    pub can_hand_off: bool,
    pub can_note: bool,
    pub can_withdraw: bool,
    pub can_assign: bool,
    /// Another computer of the branch keeps it, and the manager may take it over.
    pub can_take_over: bool,
    pub can_reply: bool,
}

/// Another computer of the branch, by what it keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct OtherDesk {
    pub device: DeviceId,
    /// Its letter, as far as something recorded at it is known here.
    pub letter: Option<String>,
    /// Complaints that are open in the branch and kept by it.
    pub open: u32,
    /// The time of the last thing known to have been done at it.
    pub last_at: Option<DateTime<Utc>>,
}

/// A clock with why its deadline is when it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ExplainedDeadline {
    #[serde(flatten)]
    pub deadline: Deadline,
    /// Every stretch from its beginning to its end, counted or not, in order.
    pub why: Vec<Stretch>,
}

/// How far a department is with its task; what it was asked and found is
/// between it and the experts until the answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct TaskProgress {
    pub department_name: String,
    pub state: TaskState,
    pub due_at: DateTime<Utc>,
}

/// How a simple complaint was settled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Settlement {
    pub summary: String,
    pub remedy: String,
    #[cfg_attr(feature = "specta", specta(type = Option<u32>))]
    pub amount_minor: Option<i64>,
    /// Why it was settled otherwise than the guidance says; empty where it was
    /// not, required above what the guidance lets a branch give.
    #[serde(default)]
    pub deviation: String,
}

/// Whether the hub can be reached, as far as is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum LinkView {
    Up,
    Down,
    Unknown,
}

/// Why the hub cannot be spoken with, where waiting does not help and a person
/// has to do something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum LinkTrouble {
    /// What answers at the address is no hub: a sign-in page of the network, a proxy.
    NotAHub,
    /// A hub, but not the one this computer is enrolled at.
    ForeignHub,
    /// The hub does not know this computer any more.
    NotKnown,
    /// The hub knows a newer copy of these data.
    OldCopy,
    /// This program is too old or too new for the hub.
    Version,
    /// The hub is there and fails.
    Failing,
    /// What is here of the hub's log is not what the hub has, also read again.
    LogDiffers,
}

/// The status line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct StatusView {
    pub link: LinkView,
    pub trouble: Option<LinkTrouble>,
    pub unsent: u32,
    pub unsent_urgent: u32,
    pub oldest_unsent_at: Option<DateTime<Utc>>,
    pub last_receipt_at: Option<DateTime<Utc>>,
    /// Records that the hub has set aside, until somebody there has decided.
    pub set_aside: u32,
    pub open: u32,
    pub with_experts: u32,
    pub next_deadline: Option<DateTime<Utc>>,
    /// This PC's clock is off by more than a minute; seconds, hub minus here.
    #[cfg_attr(feature = "specta", specta(type = Option<i32>))]
    pub clock_off_by_s: Option<i64>,
    pub clock: ClockView,
    pub device_letter: String,
    /// What this desk is in its branch's own network.
    pub lan: LanRole,
    /// Of a member: whether its mailbox answers.
    pub lan_connected: bool,
    /// Evidence files of which the hub has not all.
    pub evidence_waiting: u32,
    /// They wait because the hub is of a version that does not take any.
    pub evidence_needs_newer_hub: bool,
    pub safety: SafetyView,
}

/// What is known of the time and of this PC's clock. The field names are a
/// contract with other programs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ClockView {
    /// The hub's time, as far as it is known.
    pub now: DateTime<Utc>,
    /// `now` minus this PC's clock, in seconds; absent before the first
    /// contact with the hub.
    #[cfg_attr(feature = "specta", specta(type = Option<i32>))]
    pub off_by_s: Option<i64>,
    /// Seconds since the hub's clock was last seen.
    pub seen_before_s: Option<u32>,
    /// The computer was started anew since then: `now` rests on its clock
    /// until the hub is reached.
    pub unconfirmed: bool,
    /// How often this PC's clock was noticed to have been set.
    pub jumps: u32,
    pub last_jump_at: Option<DateTime<Utc>>,
    /// How far, in seconds: forward when positive, back when negative.
    #[cfg_attr(feature = "specta", specta(type = Option<i32>))]
    pub last_jump_by_s: Option<i64>,
}

/// A desktop notification that is due.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PromptView {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    /// Minutes since the customer's arrival.
    pub minutes: u32,
    /// The desk has handed it off by itself.
    pub handed_off: bool,
    /// The hub told the branch of a deadline.
    pub escalation: Option<Escalation>,
    /// The branch has been asked something.
    pub question: bool,
}
