//! Writing facts of this desk: checks them against the rules, numbers them in
//! their lane, seals them behind their predecessor and folds them into the
//! complaint. Nothing is stored here.

use suda_domain::fact::HandoffCause;
use suda_domain::permission;
use suda_domain::{
    Actor, Complaint, ComplaintId, Complexity, EventKey, Fact, FactKind, HandoffPacket, Lane,
    LedgerEvent, Refusal, Stamp,
};
use suda_sync::SealedEvent;
use suda_sync::place::LaneHead;

use crate::clock::to_ms;
use crate::fold;
use crate::store::directory::DeviceRow;
use crate::store::ledger::NewEvent;

/// Why a fact was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PenError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the event cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Writes on behalf of one actor at one moment. What was written is in
/// `events`, to be stored in the same transaction that `heads` belongs to.
pub(crate) struct Pen<'a> {
    pub(crate) device: &'a DeviceRow,
    pub(crate) heads: &'a mut [LaneHead; 4],
    pub(crate) actor: &'a Actor,
    pub(crate) at: Stamp,
    pub(crate) events: Vec<NewEvent>,
}

/// The owner number of a complaint not yet handed to anybody.
const FIRST_OWNER: u32 = 1;

impl Pen<'_> {
    /// Writes a fact of the ordinary lane.
    pub(crate) fn write(
        &mut self,
        id: ComplaintId,
        state: &mut Option<Complaint>,
        fact: Fact,
    ) -> Result<(), PenError> {
        self.write_in(Lane::Ordinary, id, state, fact)
    }

    /// Writes the handoff with its packet in the urgent lane. A person who
    /// hands off has judged it complex.
    pub(crate) fn hand_off(
        &mut self,
        complaint: &mut Option<Complaint>,
        cause: HandoffCause,
    ) -> Result<(), PenError> {
        let Some(whole) = complaint.as_ref() else {
            return Err(Refusal::NotABeginning.into());
        };
        let packet = packet(whole, cause, self.heads[Lane::Ordinary.index()].n)
            .fitted(|packet| serde_json::to_vec(packet).map_or(0, |json| json.len()));
        let id = whole.id;
        let fact = Fact::HandedOff {
            packet: Box::new(packet),
            cause,
        };
        self.write_in(Lane::Urgent, id, complaint, fact)
    }

    fn write_in(
        &mut self,
        lane: Lane,
        id: ComplaintId,
        state: &mut Option<Complaint>,
        fact: Fact,
    ) -> Result<(), PenError> {
        match state {
            Some(complaint) => complaint.admit(self.actor, &fact)?,
            None if fact.kind() != FactKind::Recorded => return Err(Refusal::NotABeginning.into()),
            None if !permission::may_write(self.actor.role, FactKind::Recorded) => {
                return Err(Refusal::Role.into());
            }
            None => {}
        }
        let head = &mut self.heads[lane.index()];
        let event = LedgerEvent {
            key: EventKey {
                device: self.device.device,
                incarnation: self.device.incarnation,
                lane,
                n: head.n + 1,
            },
            complaint: id,
            owner_no: state
                .as_ref()
                .map_or(FIRST_OWNER, |complaint| complaint.owner_no),
            at: self.at,
            actor: self.actor.clone(),
            fact,
            origin: None,
        };
        let sealed = SealedEvent::seal(&event, head.hash)?;
        fold::apply(state, &event)?;
        *head = LaneHead {
            n: event.key.n,
            hash: sealed.hash,
        };
        self.events.push(NewEvent {
            key: event.key,
            complaint: id,
            at_ms: to_ms(event.at.trusted()),
            sealed,
            own: true,
            hub_seq: None,
        });
        Ok(())
    }
}

/// The complaint as the experts get it, not yet cut to size.
pub(crate) fn packet(whole: &Complaint, cause: HandoffCause, upto_n: u64) -> HandoffPacket {
    HandoffPacket {
        reference: whole.reference.clone(),
        branch: whole.branch.clone(),
        arrived_at: whole.arrived_at,
        recorded_at: whole.recorded_at,
        late: whole.late,
        intake: whole.intake.clone(),
        cut: whole.cut,
        grade: whole.grade.unwrap_or(suda_domain::Grade::Three),
        complexity: match cause {
            HandoffCause::Automatic => whole.complexity.unwrap_or(Complexity::Complex),
            HandoffCause::Manual | HandoffCause::Import => Complexity::Complex,
        },
        cycle: whole.cycle,
        recused: whole.recused.clone(),
        upto_n,
    }
}
