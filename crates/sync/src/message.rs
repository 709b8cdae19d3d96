//! What desk and hub say to each other. Version 2. Additive changes keep the
//! version: an unknown field is ignored, a missing one has a default.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::alarm::KnownMatter;
use suda_domain::category::CategoryTree;
use suda_domain::guidance::Guidance;
use suda_domain::staff::StaffRecord;
use suda_domain::time::{TimeRules, Timekeeping};
use suda_domain::{BranchCode, DeviceId, Lane, Policy, ReferenceNumber, Refusal, State};

use crate::chain::{Hash, SealedEvent};
use crate::compare::Compared;
use crate::evidence::{FileName, Standings};
use crate::model::{ModelNotice, ModelPiece};
use crate::sign::PublicKey;
use crate::statistics::{DayTotals, Taken};

/// The version this program writes.
pub const VERSION: u16 = 2;
/// The oldest version this program still reads and answers. It follows
/// [`VERSION`] only when no desk of it can be in use any more: a branch may
/// stay at its program for three releases.
pub const OLDEST: u16 = 2;

/// Whether messages of a version are read. A hub answers each in the form that
/// the version it was asked in reads: what is added to an answer is left aside
/// there, and nothing of what that version knows is left out.
pub const fn is_read(v: u16) -> bool {
    OLDEST <= v && v <= VERSION
}

/// Events a batch may hold.
pub const BATCH_EVENTS: usize = 100;
/// Bytes of event bodies a batch may hold; a single larger event goes alone.
pub const BATCH_BYTES: usize = 64 * 1024;
/// Events a batch may hold on a line that has shown to be quick, towards a hub
/// that allows as many.
pub const WIDE_EVENTS: usize = 500;
/// Bytes of event bodies a batch may hold on such a line.
pub const WIDE_BYTES: usize = 512 * 1024;
/// Entries a page of the hub's log may hold.
pub const PAGE_ENTRIES: u32 = 200;

/// A question of a desk. Sent as [`crate::Signed`] by the device's key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    pub v: u16,
    pub device: DeviceId,
    pub incarnation: u32,
    /// From the last welcome; absent only in a hello.
    #[serde(default)]
    pub session: Option<String>,
    pub ask: Ask,
}

// Named from outside: serde reads an enum tagged from inside through a buffer
// that cannot keep an event's bytes as they were sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Who I am and how far I know you to be.
    Hello(Position),
    /// Events of one lane, contiguous from `first_n`.
    Batch {
        lane: Lane,
        first_n: u64,
        events: Vec<SealedEvent>,
        /// The incarnation that wrote them, when it is an earlier one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incarnation: Option<u32>,
        /// This desk can give forked events new numbers: the hub need not set
        /// them aside.
        #[serde(default)]
        rekeys: bool,
        /// With the last of what waits: how far this desk is. When nothing else
        /// has happened in its branch, the receipt says so, and no page has to
        /// be asked for. An older hub leaves it aside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known: Option<Known>,
    },
    /// The hub's log of my branch after `cursor`.
    Pull {
        cursor: u64,
        limit: u32,
        directory: u32,
        /// Highest number of my own events that I hold, by lane: these need
        /// not be sent back. Absent from older desks, which get them.
        #[serde(default)]
        own: Option<[u64; 4]>,
    },
    /// Answer when my branch's log has something after `cursor`, or after a while.
    /// What I wrote myself under my present incarnation is not waited for.
    Watch { cursor: u64, directory: u32 },
    /// Whether there is something, also of my own, answered at once. The answer
    /// need not be signed: it saves a question for some minutes, never more (see
    /// [`crate::desk`]). An older hub does not understand it.
    Look { cursor: u64, directory: u32 },
    /// Batches of another desk of my branch, which cannot reach the hub itself:
    /// a parcel of events (see [`crate::bundle`]) in base64.
    Forward { parcel: String },
    /// How far these evidence files are. An older hub does not understand it.
    Evidence { files: Vec<FileName> },
    /// Complaints of other branches that may belong with a form that is being
    /// filled in. An older hub does not understand it.
    Twins {
        /// What happened, and where.
        text: String,
        /// The customer's, as typed; may be empty.
        phone: String,
    },
    /// Day totals, each to replace an earlier writing of the same day. An older
    /// hub does not understand it.
    Statistics { days: Vec<DayTotals> },
    /// A piece of the package of the learned model, from this byte on. Asked
    /// only of a hub whose directory names the model.
    Model { version: u32, offset: u64 },
    /// What the hub's log has of my branch between these places, added up: behind
    /// the one, up to the other. `differs`: what was compared before is different
    /// here, also read again. An older hub does not understand it.
    Compare {
        after: u64,
        upto: u64,
        #[serde(default)]
        differs: bool,
    },
}

/// How far a desk is in what the hub tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The hub's log number up to which everything is stored here.
    pub cursor: u64,
    /// Version of the directory held.
    pub directory: u32,
    /// Highest number of its own events that it holds, by lane. The hub may have
    /// more: a copy of the database wrote them, under the same incarnation.
    #[serde(default)]
    pub own: [u64; 4],
}

/// How far a desk is, as its store says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Highest event number written, by lane.
    pub written: [u64; 4],
    /// Highest event number in a signed receipt, by lane.
    pub acked: [u64; 4],
    /// The hub's log number up to which everything is stored here.
    pub cursor: u64,
    /// The epoch the cursor and receipts belong to.
    #[serde(default)]
    pub epoch: Option<String>,
    /// Version of the directory held.
    pub directory: u32,
    /// The desk's wall clock, for the record of its deviation.
    #[serde(default)]
    pub wall: Option<DateTime<Utc>>,
    /// What the desk noticed of its clock. Absent from older desks.
    #[serde(default)]
    pub clock: Option<ClockNotice>,
    /// The session of the last welcome this desk stored. When the hub has
    /// since served a later one, the question comes from a copied or
    /// rolled-back database.
    #[serde(default)]
    pub contact: Option<String>,
    /// The earlier incarnations, oldest first.
    #[serde(default)]
    pub earlier: Vec<Earlier>,
    #[serde(default)]
    pub renewal: Renewal,
    /// The letter this desk writes into reference numbers.
    #[serde(default)]
    pub letter: Option<String>,
}

/// How far the events of an earlier incarnation of this desk are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    pub incarnation: u32,
    /// Highest event number kept under it, by lane.
    pub written: [u64; 4],
    /// Highest event number in a signed receipt, by lane.
    pub acked: [u64; 4],
}

/// Whether a desk can go on as a new incarnation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Renewal {
    /// A desk that does not know how: its forked events are set aside.
    #[default]
    Unknown,
    /// When the hub asks for it.
    Ready,
    /// Wanted: the hub holds other events under the numbers of this one.
    Wanted,
}

/// How often a computer's clock was set, as far as was noticed. Also JSON in
/// the hub's store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockNotice {
    pub jumps: u32,
    /// The last time, in trusted time.
    pub last_at: Option<DateTime<Utc>>,
    /// How far, in milliseconds: forward when positive, back when negative.
    pub last_by_ms: Option<i64>,
}

impl ClockNotice {
    /// With what the hub sees itself: the offset to the device's clock, in
    /// milliseconds, at this contact and at the one before. What a desk only
    /// learns by this contact it tells at the next, and counts it then.
    pub fn seen(
        self,
        known: Self,
        before: Option<i64>,
        offset: Option<i64>,
        now: DateTime<Utc>,
    ) -> Self {
        if self.jumps > known.jumps {
            return self;
        }
        let moved = before.zip(offset).map(|(before, offset)| before - offset);
        match moved {
            Some(by_ms) if by_ms.abs() >= SET_MS && self.jumps == known.jumps => Self {
                jumps: known.jumps.saturating_add(1),
                last_at: Some(now),
                last_by_ms: Some(by_ms),
            },
            _ => known,
        }
    }
}

/// An offset that changed by so much from one contact to the next was not
/// drift: the clock was set.
const SET_MS: i64 = 60_000;

/// An answer of the hub. Sent as [`crate::Signed`] by the hub's key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Welcome(Welcome),
    Receipt(Receipt),
    Page(Page),
    /// To a watch: whether there is something to pull.
    Changed {
        changed: bool,
    },
    /// To a forwarded parcel: the parcel of receipts for the desk it is of, in
    /// base64.
    Forwarded {
        receipts: String,
    },
    /// How far evidence files are: to that question, and to each slice.
    Evidence(Standings),
    /// What is held of the days that were sent.
    Statistics(Taken),
    /// A piece of the learned model's package.
    Model(ModelPiece),
    Compared(Compared),
    /// Those that may belong with a form, the likeliest first.
    Twins(Vec<TwinElsewhere>),
    Refused(Refused),
}

impl Reply {
    pub fn changed(changed: bool) -> Self {
        Self::Changed { changed }
    }
}

/// A complaint of another branch, as a branch may see it: nothing of its
/// customer and no word of what they said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TwinElsewhere {
    pub reference: ReferenceNumber,
    pub branch: BranchCode,
    pub branch_name: String,
    pub category: String,
    pub state: State,
    /// The local day on which the customer came.
    pub day: NaiveDate,
    /// The customer has the telephone number that was typed.
    pub same_phone: bool,
    /// How near the text is, in hundredths; 100 is the same text.
    pub percent: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Welcome {
    pub session: String,
    /// Changes when the hub was restored from a backup.
    pub epoch: String,
    /// Highest event number stored, by lane.
    pub watermarks: [u64; 4],
    /// By lane, the hash of the hub's event at the lower of this watermark and
    /// the desk's; absent where there is none, and from older hubs.
    #[serde(default)]
    pub hashes: [Option<Hash>; 4],
    /// The same of the earlier incarnations the desk named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Watermarks>,
    /// What the desk may send for now. Absent from older hubs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance: Option<Allowance>,
    /// The hub's clock.
    pub now: DateTime<Utc>,
}

/// How much the hub takes of a desk for now. Holds until the next one; without
/// any, whole batches are sent one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Events that may be under way at a time, outside the urgent lane.
    pub events: u32,
    /// Bytes of event bodies that may be under way at a time, outside the
    /// urgent lane.
    pub bytes: u32,
    /// The hub is overloaded: everything but the urgent lane is to come in so
    /// many milliseconds. 0 when it may come at once.
    #[serde(default)]
    pub slot_ms: u64,
}

/// Highest event number the hub has stored of one incarnation, by lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermarks {
    pub incarnation: u32,
    pub watermarks: [u64; 4],
    #[serde(default)]
    pub hashes: [Option<Hash>; 4],
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    Applied,
    Duplicate,
    /// Stored, and waits for what it builds on, which another desk has yet to
    /// send; somebody is told when that takes long.
    Held,
    /// Numbers before it are missing; not stored, to be sent again behind them.
    Gap,
    /// The hub holds another event under this number, or another past; not
    /// stored. The desk gives it a new number under a new incarnation.
    Forked,
    /// Stored apart for a person to mend; nothing behind it waits.
    Quarantined {
        reason: QuarantineReason,
    },
}

/// Why an event was set aside.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineReason {
    Unreadable,
    HashMismatch,
    /// Another content already holds this number: a copied or rolled-back database.
    Forked,
    /// Not this device's event, or another branch's complaint.
    OutOfScope,
    UnknownComplaint,
    /// Another copy of the database has brought it already. Nothing to mend.
    Repeated,
    /// The rules do not allow the step.
    NotAllowed(Refusal),
}

impl QuarantineReason {
    /// Whether what is missing may still come: another desk of the branch has
    /// recorded the complaint, or moved it on, and not been heard yet.
    pub fn waits(self) -> bool {
        matches!(
            self,
            Self::UnknownComplaint | Self::NotAllowed(Refusal::OwnerAhead)
        )
    }
}

/// The hub's word that events are stored durably.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub device: DeviceId,
    pub incarnation: u32,
    pub epoch: String,
    /// Highest event number stored, by lane.
    pub watermarks: [u64; 4],
    pub lane: Lane,
    pub first_n: u64,
    /// One per event of the batch.
    pub verdicts: Vec<Verdict>,
    /// What the desk may send next. Absent from older hubs, and where what was
    /// told before holds on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance: Option<Allowance>,
    /// To a desk that said how far it is, when there is nothing else for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    pub at: DateTime<Utc>,
}

/// Between the place a desk named and this one the log of its branch holds
/// events of its own alone, and the directory is the one it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    pub cursor: u64,
    /// Where the desk's own events stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placed: Vec<Placed>,
}

/// One line of the hub's log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogEntry {
    pub seq: u64,
    pub event: SealedEvent,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page {
    pub epoch: String,
    pub entries: Vec<LogEntry>,
    /// The cursor after storing this page.
    pub cursor: u64,
    pub more: bool,
    /// Present when the desk's version is old.
    #[serde(default)]
    pub directory: Option<Box<Directory>>,
    /// All of the desk's events that wait set aside for a person's decision.
    /// Absent when the hub does not tell.
    #[serde(default)]
    pub set_aside: Option<Vec<SetAside>>,
    /// Where the desk's own events, which are not sent back, stand among the entries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placed: Vec<Placed>,
    pub now: DateTime<Utc>,
}

/// A run of a desk's own events with consecutive numbers in the hub's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    pub lane: Lane,
    pub first_n: u64,
    pub first_seq: u64,
    pub count: u64,
}

impl Placed {
    /// Runs of events named by lane, number and place in the log, in the log's order.
    pub fn runs(events: impl IntoIterator<Item = (Lane, u64, u64)>) -> Vec<Self> {
        let mut runs: Vec<Self> = Vec::new();
        for (lane, n, seq) in events {
            match runs.last_mut() {
                Some(run)
                    if run.lane == lane
                        && run.first_n + run.count == n
                        && run.first_seq + run.count == seq =>
                {
                    run.count += 1;
                }
                _ => runs.push(Self {
                    lane,
                    first_n: n,
                    first_seq: seq,
                    count: 1,
                }),
            }
        }
        runs
    }
}

/// The place of an event that the hub has set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    pub lane: Lane,
    pub n: u64,
}

/// Why the hub does not answer the question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refused {
    /// Say hello again.
    SessionExpired,
    UnknownDevice,
    BadSignature,
    /// An older incarnation than the hub knows.
    OldIncarnation,
    /// To a hello of a copied or rolled-back database: go on as this
    /// incarnation. What the old one has still to send is taken as before.
    Renew {
        incarnation: u32,
        /// The desk's new letter, so that reference numbers cannot meet.
        letter: String,
    },
    Version,
    Malformed,
    /// The forwarded parcel cannot be opened, or is not of a desk of the branch.
    NotTaken,
    /// Come back later.
    Busy {
        retry_ms: u64,
    },
}

/// What a desk needs to work without the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Directory {
    pub version: u32,
    pub branch: BranchCode,
    pub branch_name: String,
    /// The name of the organisation, for the receipt.
    pub organisation: String,
    /// Where the customer can ask: the base address of the status page.
    #[serde(default)]
    pub status_url: Option<String>,
    pub categories: CategoryTree,
    /// The rule file of `suda-judge` in its first format, which desks of before
    /// the second take whole or not at all.
    pub rules: serde_json::Value,
    /// The same in the second format; absent from a hub of before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_2: Option<serde_json::Value>,
    pub guidance: Vec<Guidance>,
    /// The policy that was set last: what a desk of before `time` counts with.
    pub policy: Policy,
    /// Absent from a hub of before there was more than one policy.
    #[serde(default)]
    pub time: Option<TimeRules>,
    /// The learned model in force. Absent where there is none, and from a hub
    /// of before there were models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelNotice>,
    /// What is learned of handoffs, as far as it concerns this branch, in the
    /// words of `suda-judge`. Absent where nothing is, and from a hub of before
    /// it was learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoffs: Option<serde_json::Value>,
    /// The staff who may sign in at this branch.
    pub staff: Vec<StaffRecord>,
    /// Matters that go on and that the centre has explained. Absent from a hub
    /// of before there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_matters: Vec<KnownMatter>,
}

impl Directory {
    /// The rule file to judge with.
    pub fn newest_rules(&self) -> &serde_json::Value {
        self.rules_2.as_ref().unwrap_or(&self.rules)
    }

    /// What the branch's clocks are counted with.
    pub fn timekeeping(&self) -> Timekeeping {
        let rules = self.time.clone();
        rules
            .unwrap_or_else(|| TimeRules::beginning(self.policy.clone()))
            .into()
    }
}

/// `POST /v1/enrol`, unsigned: the one-time code is the proof.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrolRequest {
    pub v: u16,
    pub code: String,
    pub key: PublicKey,
    /// What the PC calls itself, for the administrator's list.
    pub device_name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrolReply {
    pub device: DeviceId,
    pub incarnation: u32,
    /// The desk's letter in reference numbers.
    pub desk_letter: String,
    pub hub_key: PublicKey,
    pub epoch: String,
    pub now: DateTime<Utc>,
    pub directory: Directory,
}

/// Why an enrolment failed; the body of a 4xx answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum EnrolRefused {
    /// No such code.
    UnknownCode,
    UsedCode,
    ExpiredCode,
    Version,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Hash;
    use crate::sign::{SecretKey, Signed};

    fn events() -> Vec<SealedEvent> {
        let body = r#"{"n" : 1, "text":"诉达"}"#.to_owned();
        let hash = Hash::link(Hash::START, body.as_bytes());
        vec![SealedEvent::from_parts(body, Hash::START, hash).unwrap()]
    }

    /// Over the wire and back with every byte of the events as it was.
    #[test]
    fn batches_and_pages_keep_the_bytes_of_their_events() {
        let key = SecretKey::from_seed([1; 32]);
        let request = Request {
            v: VERSION,
            device: DeviceId(uuid::Uuid::nil()),
            incarnation: 1,
            session: None,
            ask: Ask::Batch {
                lane: Lane::Urgent,
                first_n: 1,
                events: events(),
                incarnation: None,
                rekeys: false,
                known: None,
            },
        };
        let wire = serde_json::to_vec(&Signed::seal(&request, &key).unwrap()).unwrap();
        let read: Signed = serde_json::from_slice(&wire).unwrap();
        let read: Request = read.open(&key.public()).unwrap();
        let Ask::Batch { events: read, .. } = read.ask else {
            panic!("not a batch")
        };
        assert!(read[0].hash_fits());

        let page = Reply::Page(Page {
            epoch: "e".into(),
            entries: vec![LogEntry {
                seq: 1,
                event: events().remove(0),
            }],
            cursor: 1,
            more: false,
            set_aside: None,
            placed: Vec::new(),
            directory: None,
            now: DateTime::from_timestamp(0, 0).unwrap(),
        });
        let wire = serde_json::to_vec(&Signed::seal(&page, &key).unwrap()).unwrap();
        let read: Signed = serde_json::from_slice(&wire).unwrap();
        let Reply::Page(read) = read.open(&key.public()).unwrap() else {
            panic!("not a page")
        };
        assert!(read.entries[0].event.hash_fits());
    }
}
