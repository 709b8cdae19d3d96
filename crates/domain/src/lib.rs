//! The rules of complaint handling: what a complaint is, who owns it, which
//! steps are allowed, how long each may take and what the customer is told.
//!
//! Everything here is pure. No clock, no file, no network, no random number:
//! time and ids are passed in, so the desk, the hub and the simulator decide
//! alike and a ledger replayed anywhere gives the same complaint.

pub mod alarm;
pub mod breach;
pub mod category;
pub mod check;
pub mod clocks;
pub mod complaint;
pub mod duty;
pub mod escalation;
pub mod evidence;
pub mod fact;
pub mod guidance;
pub mod ids;
pub mod intake;
pub mod ledger;
pub mod letter;
pub mod link;
pub mod packet;
pub mod permission;
pub mod personal;
pub mod policy;
pub mod recusal;
pub mod reference;
pub mod staff;
pub mod state;
pub mod text;
pub mod texts;
pub mod time;
pub mod trusted;

pub use complaint::{Applied, Complaint, Owner, Refusal};
pub use evidence::{Evidence, EvidenceKind};
pub use fact::{Fact, FactKind};
pub use ids::{
    BranchCode, ComplaintId, DeviceId, EvidenceId, LeaseId, LetterId, MeasureId, QuestionId,
    StaffId, TaskId,
};
pub use intake::Intake;
pub use ledger::{Actor, EventKey, Lane, LedgerEvent, Origin, Stamp};
pub use letter::{Letter, LetterKind};
pub use link::Relation;
pub use packet::HandoffPacket;
pub use policy::Policy;
pub use recusal::{Lines, Recusal};
pub use reference::ReferenceNumber;
pub use staff::Role;
pub use state::{Complexity, CustomerState, Grade, State};
