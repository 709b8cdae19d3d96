//! Folding: what each event of the ledger makes of a complaint.

use chrono::{DateTime, Utc};

use super::{
    Answer, Applied, Claim, Complaint, Covered, EXPERT_TEAM, Owner, Paused, Refusal, Task,
    TaskState,
};
use crate::escalation::{Escalation, Seen};
use crate::fact::{Corrected, CorrectedStep, Fact};
use crate::ids::TaskId;
use crate::ledger::{EventKey, Lane, LedgerEvent};
use crate::link::Link;
use crate::packet::HandoffPacket;
use crate::recusal::Recusal;
use crate::state::{Grade, State};

impl Complaint {
    /// Folds one event in.
    pub fn apply(&mut self, event: &LedgerEvent) -> Result<Applied, Refusal> {
        let kind = event.fact.kind();
        if self.is_covered(event.key) || self.is_own_record(&event.fact) {
            self.take_what_the_packet_left_out(event);
            return Ok(Applied::History);
        }
        if kind.is_remark() {
            if self.next_state(&event.fact).is_ok() {
                self.take(event);
            }
            return Ok(Applied::Remark);
        }
        if event.owner_no < self.owner_no {
            return Ok(Applied::LateNote);
        }
        if event.owner_no > self.owner_no {
            let Fact::HandedOff { packet, .. } = &event.fact else {
                return Err(Refusal::OwnerAhead);
            };
            self.go_on_from(packet, event);
            return Ok(Applied::Overtook);
        }
        let next = self.next_state(&event.fact)?;
        self.take(event);
        self.state = next;
        if kind.moves_ownership() {
            self.owner_no = self.owner_no.saturating_add(1);
        }
        Ok(Applied::Changed)
    }

    /// A packet needs no predecessor. What lies between is still under way, or
    /// forgotten by a hub that was put back from a backup: the branch had the
    /// complaint, and hands it off now.
    fn go_on_from(&mut self, packet: &HandoffPacket, event: &LedgerEvent) {
        let at = event.at.trusted();
        if self.cycle < packet.cycle {
            self.begin_cycle(at, "");
            self.cycle = packet.cycle;
        }
        self.owner = Owner::Branch(self.branch.clone());
        self.owner_no = event.owner_no;
        self.claim = None;
        for task in self.tasks.iter_mut().filter(|task| task.is_open()) {
            task.state = TaskState::Recalled;
            task.ended_at = Some(at);
        }
        self.end_pause(at);
        self.state = State::HandoffPending;
        self.take(event);
    }

    fn is_covered(&self, key: EventKey) -> bool {
        key.lane == Lane::Ordinary
            && self.covered.is_some_and(|c| {
                c.device == key.device && c.incarnation == key.incarnation && key.n <= c.upto_n
            })
    }

    /// The record of this very complaint, behind the packet that opened it:
    /// from another desk than the one that handed it off.
    fn is_own_record(&self, fact: &Fact) -> bool {
        matches!(fact, Fact::Recorded { reference, .. } if *reference == self.reference)
    }

    /// The ordinary lane brings the texts the packet had to cut and the files
    /// it does not name.
    fn take_what_the_packet_left_out(&mut self, event: &LedgerEvent) {
        self.keep_evidence(event);
        if let Fact::Recorded { intake, .. } = &event.fact {
            if self.cut {
                let category = std::mem::take(&mut self.intake.category);
                self.intake = (**intake).clone();
                self.intake.category = category;
                self.cut = false;
            }
            self.recorded_by = event.actor.clone();
        }
        self.take_recusal_whole(&event.fact);
    }

    /// What the fact changes beside state and owner number.
    fn take(&mut self, event: &LedgerEvent) {
        let at = event.at.trusted();
        match &event.fact {
            Fact::Recorded { .. } | Fact::KeptInBranch | Fact::Noted { .. } | Fact::Archived => {}
            Fact::EvidenceAdded { .. } => self.keep_evidence(event),
            Fact::LetterMade { .. } => self.keep_letter(event),
            Fact::Recused {
                staff,
                name,
                reason,
            } => self.take_recusal(Recusal {
                staff: *staff,
                name: name.clone(),
                reason: reason.clone(),
                at,
            }),
            Fact::RecusalLifted { staff, .. } => self.recused.retain(|one| one.staff != *staff),
            Fact::Linked {
                to,
                reference,
                relation,
                note,
            } => self.take_link(Link {
                to: *to,
                reference: reference.clone(),
                relation: *relation,
                note: note.clone(),
                at,
            }),
            Fact::Unlinked { to, .. } => self.links.retain(|link| link.to != *to),
            Fact::Assessed {
                category,
                grade,
                complexity,
                ..
            } => {
                self.intake.category.clone_from(category);
                self.set_grade(*grade, at);
                self.complexity = Some(*complexity);
                self.marks.assessed_at.get_or_insert(at);
            }
            Fact::HandedOff { packet, cause } => {
                self.take_packet(packet, event.key);
                self.handoff_cause = Some(*cause);
                self.marks.handed_off_at = Some(at);
                self.return_reason = None;
            }
            Fact::Queued => {
                self.owner = Owner::Team(EXPERT_TEAM.to_owned());
                self.marks.queued_at.get_or_insert(at);
            }
            Fact::Claimed { lease, until } => {
                if let Some(expert) = event.actor.staff {
                    self.claim = Some(Claim {
                        lease: *lease,
                        expert,
                        expert_name: event.actor.name.clone(),
                        until: *until,
                    });
                }
                self.marks.claimed_at.get_or_insert(at);
            }
            Fact::Released { .. } => self.claim = None,
            Fact::ReturnedToBranch { reason } => {
                self.owner = Owner::Branch(self.branch.clone());
                self.claim = None;
                self.return_reason = Some(reason.clone());
            }
            Fact::Dispatched {
                task,
                department,
                department_name,
                question,
                due_at,
            } => {
                self.tasks.push(Task {
                    id: *task,
                    department: *department,
                    department_name: department_name.clone(),
                    question: question.clone(),
                    state: TaskState::Sent,
                    sent_at: at,
                    due_at: *due_at,
                    ended_at: None,
                    reject_reason: None,
                    report: None,
                });
            }
            Fact::TaskAccepted { task } => self.set_task(*task, |t| t.state = TaskState::Accepted),
            Fact::TaskRejected { task, reason } => self.set_task(*task, |t| {
                t.state = TaskState::Rejected;
                t.ended_at = Some(at);
                t.reject_reason = Some(reason.clone());
            }),
            Fact::Reported { task, report } => {
                if let Some(task) = task {
                    self.set_task(*task, |t| {
                        t.state = TaskState::Reported;
                        t.ended_at = Some(at);
                        t.report = Some(report.clone());
                    });
                }
                self.report = Some(report.clone());
                self.marks.reported_at.get_or_insert(at);
            }
            Fact::TaskRecalled { task, reason } => self.set_task(*task, |t| {
                t.state = TaskState::Recalled;
                t.ended_at = Some(at);
                t.reject_reason = Some(reason.clone());
            }),
            Fact::Asked { .. }
            | Fact::Replied { .. }
            | Fact::ExtensionRequested { .. }
            | Fact::Extended { .. }
            | Fact::ExtensionRefused { .. }
            | Fact::ApprovalRequested { .. }
            | Fact::Approved { .. }
            | Fact::Disapproved { .. }
            | Fact::CommentsAsked { .. }
            | Fact::Commented { .. }
            | Fact::SolvingStarted { .. }
            | Fact::MeasureProgressed { .. }
            | Fact::CallBackAssigned { .. }
            | Fact::CallBackTried { .. }
            | Fact::CalledBack { .. }
            | Fact::Rated { .. }
            | Fact::FinallyDecided { .. } => self.take_course(event, at),
            Fact::Implemented { .. } => self.marks.implemented_at = Some(at),
            Fact::Answered {
                decision,
                text,
                remedy,
                reasons,
                amount_minor,
                next_level,
                next_level_until,
                ..
            } => {
                self.answer = Some(Answer {
                    decision: Some(*decision),
                    text: text.clone(),
                    remedy: remedy.clone(),
                    amount_minor: amount_minor.map(i64::from),
                    reasons: reasons.clone(),
                    next_level: next_level.clone(),
                    next_level_until: *next_level_until,
                    by: event.actor.staff,
                });
                self.marks.answered_at = Some(at);
            }
            Fact::Settled {
                summary,
                remedy,
                amount_minor,
                ..
            } => {
                self.answer = Some(Answer {
                    decision: None,
                    text: summary.clone(),
                    remedy: remedy.clone(),
                    amount_minor: *amount_minor,
                    reasons: String::new(),
                    next_level: String::new(),
                    next_level_until: None,
                    by: event.actor.staff,
                });
                self.marks.answered_at = Some(at);
            }
            Fact::Closed | Fact::Withdrawn { .. } => {
                self.claim = None;
                self.marks.ended_at = Some(at);
            }
            Fact::Reopened { reason } => self.begin_cycle(at, reason),
            Fact::AlertAcknowledged => {
                self.marks.alert_acknowledged_at.get_or_insert(at);
            }
            Fact::TakenOver { .. } => {}
            Fact::Assigned { to } => self.assigned = Some(to.clone()),
            Fact::Paused { reason, name, note } => self.pauses.push(Paused {
                reason: reason.clone(),
                name: name.clone(),
                note: note.clone(),
                from: at,
                to: None,
            }),
            Fact::Resumed => self.end_pause(at),
            Fact::Graded { grade, .. } => {
                // No manager has to hear of what is no longer of grade 1.
                if self.marks.alert_acknowledged_at.is_none() {
                    self.marks.grade1_at = None;
                }
                self.set_grade(*grade, at);
            }
            Fact::Escalated {
                clock,
                task,
                level,
                due,
                texted,
            } => self.escalations.push(Escalation {
                clock: *clock,
                task: *task,
                level: *level,
                due: *due,
                at,
                texted: *texted,
            }),
            Fact::EscalationSeen {
                clock,
                task,
                level,
                due,
            } => {
                let name = (*clock, *task, *level, *due);
                let first = event.actor.staff.filter(|by| !self.has_seen(*by, name));
                self.seen.extend(first.map(|staff| Seen {
                    clock: *clock,
                    task: *task,
                    level: *level,
                    due: *due,
                    staff,
                    name: event.actor.name.clone(),
                    at,
                }));
            }
            Fact::TimeCorrected { arrived, steps } => self.correct_times(*arrived, steps),
        }
    }

    fn end_pause(&mut self, at: DateTime<Utc>) {
        let last = self.pauses.last_mut();
        if let Some(pause) = last.filter(|pause| pause.to.is_none()) {
            pause.to = Some(at.max(pause.from));
        }
    }

    fn take_packet(&mut self, packet: &HandoffPacket, key: EventKey) {
        // Whom the branch had given it to is the branch's affair, and the
        // packet does not tell.
        self.assigned = None;
        // A desk that still has the whole texts keeps them.
        if self.cut || !packet.cut {
            self.intake = packet.intake.clone();
            self.cut = packet.cut;
        }
        self.intake.category.clone_from(&packet.intake.category);
        self.set_grade(packet.grade, packet.recorded_at);
        self.complexity = Some(packet.complexity);
        for recusal in &packet.recused {
            self.take_recusal(recusal.clone());
        }
        self.marks.assessed_at.get_or_insert(packet.recorded_at);
        self.covered = Some(Covered {
            device: key.device,
            incarnation: key.incarnation,
            upto_n: packet.upto_n,
        });
    }

    /// Moments are found by the time they have, as the handoff packet tells
    /// some of them without the step they come from. What only the hub writes
    /// is by its own clock and stays.
    fn correct_times(&mut self, arrived: Option<Corrected>, steps: &[CorrectedStep]) {
        let correct = |at: &mut DateTime<Utc>| {
            if let Some(step) = steps.iter().find(|step| step.was == *at) {
                *at = step.is;
            }
        };
        let marks = &mut self.marks;
        correct(&mut self.recorded_at);
        for at in [
            &mut marks.assessed_at,
            &mut marks.handed_off_at,
            &mut marks.grade1_at,
            &mut marks.answered_at,
            &mut marks.ended_at,
        ] {
            at.as_mut().map(correct);
        }
        if let Some(arrived) = arrived.filter(|arrived| arrived.was == self.arrived_at) {
            self.arrived_at = arrived.is;
        }
    }

    fn set_grade(&mut self, grade: Grade, at: DateTime<Utc>) {
        self.grade = Some(grade);
        if grade == Grade::One {
            self.marks.grade1_at.get_or_insert(at);
        }
    }

    fn set_task(&mut self, id: TaskId, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.iter_mut().find(|task| task.id == id) {
            change(task);
        }
    }
}
