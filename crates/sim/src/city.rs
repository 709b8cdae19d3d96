//! Who there is: branches with their staff, the experts, and what they write.

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::fact::{Assignee, Decision, HandoffCause, ReleaseCause, Report, Source};
use suda_domain::staff::StaffRecord;
use suda_domain::{
    Actor, BranchCode, Complaint, Complexity, Fact, Grade, HandoffPacket, Intake, LeaseId,
    ReferenceNumber, Role, StaffId,
};

use crate::dice::Dice;

pub struct Branch {
    pub code: BranchCode,
    pub clerk: Actor,
    pub manager: Actor,
    /// Somebody the hub has never heard of.
    pub stranger: Actor,
}

pub struct City {
    pub branches: Vec<Branch>,
    pub experts: Vec<Actor>,
    pub staff: Vec<StaffRecord>,
}

impl City {
    /// # Errors
    /// When a branch code made here is none.
    pub fn new(dice: &mut Dice, branches: usize, experts: usize) -> anyhow::Result<Self> {
        let mut city = Self {
            branches: Vec::new(),
            experts: Vec::new(),
            staff: Vec::new(),
        };
        for number in 0..branches {
            let code: BranchCode = format!("CQ{:04}", number + 1).parse()?;
            let branch = Branch {
                clerk: city.hire(dice, Role::Clerk, Some(&code)),
                manager: city.hire(dice, Role::BranchManager, Some(&code)),
                stranger: actor(dice, Role::Clerk, Some(&code)),
                code,
            };
            city.branches.push(branch);
        }
        for _ in 0..experts {
            let expert = city.hire(dice, Role::Expert, None);
            city.experts.push(expert);
        }
        Ok(city)
    }

    fn hire(&mut self, dice: &mut Dice, role: Role, branch: Option<&BranchCode>) -> Actor {
        let actor = actor(dice, role, branch);
        self.staff.extend(actor.staff.map(|id| StaffRecord {
            id,
            login: actor.name.clone(),
            name: actor.name.clone(),
            role,
            branch: branch.cloned(),
            password_hash: String::new(),
            active: true,
            superior: None,
        }));
        actor
    }
}

fn actor(dice: &mut Dice, role: Role, branch: Option<&BranchCode>) -> Actor {
    let id = dice.uuid();
    Actor {
        staff: Some(StaffId(id)),
        name: format!("{} {}", role.name(), id.as_u128() % 10_000),
        role,
        branch: branch.cloned(),
    }
}

pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_784_620_800, 0).unwrap_or_default()
}

/// The wall clock of somebody whose clock is wrong by `skew_ms`.
pub fn wall(now_ms: u64, skew_ms: i64) -> DateTime<Utc> {
    let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
    start() + TimeDelta::milliseconds(now.saturating_add(skew_ms))
}

pub fn recorded(dice: &mut Dice, reference: ReferenceNumber, at: DateTime<Utc>) -> Fact {
    // One in ten is longer than a packet.
    let length = if dice.chance(100) { 1_500 } else { 8 };
    Fact::Recorded {
        reference,
        intake: Box::new(Intake {
            anonymous: true,
            category: "network.outage".to_owned(),
            description: "断".repeat(length),
            remedy_sought: "恢复".to_owned(),
            ..Intake::default()
        }),
        arrived_at: at,
        late: false,
        source: Source::Form,
    }
}

pub fn assessed(dice: &mut Dice, complexity: Complexity) -> Fact {
    let grades = [Grade::Two, Grade::Three];
    Fact::Assessed {
        category: "network.outage".to_owned(),
        grade: dice.pick(&grades).copied().unwrap_or(Grade::Three),
        complexity,
        suggestion: None,
        override_reason: None,
    }
}

pub fn handed_off(whole: &Complaint, upto_n: u64) -> Fact {
    let packet = HandoffPacket {
        reference: whole.reference.clone(),
        branch: whole.branch.clone(),
        arrived_at: whole.arrived_at,
        recorded_at: whole.recorded_at,
        late: whole.late,
        intake: whole.intake.clone(),
        cut: whole.cut,
        grade: whole.grade.unwrap_or(Grade::Three),
        complexity: Complexity::Complex,
        cycle: whole.cycle,
        recused: Vec::new(),
        upto_n,
    };
    let size = |packet: &HandoffPacket| serde_json::to_vec(packet).map_or(0, |json| json.len());
    Fact::HandedOff {
        packet: Box::new(packet.fitted(size)),
        cause: HandoffCause::Manual,
    }
}

/// Something a branch may try with a complaint it knows, beside handing it off.
/// Its manager may also give it to `colleague`.
pub fn branch_step(dice: &mut Dice, colleague: &Actor) -> Fact {
    match dice.below(7) {
        6 => Fact::Assigned {
            to: Assignee {
                staff: colleague.staff.unwrap_or(StaffId(uuid::Uuid::nil())),
                name: colleague.name.clone(),
            },
        },
        0 | 1 => Fact::Noted {
            text: "已联系客户".to_owned(),
        },
        2 => Fact::KeptInBranch,
        3 => assessed(dice, Complexity::Simple),
        4 => Fact::Withdrawn {
            reason: "客户撤诉".to_owned(),
        },
        _ => Fact::Settled {
            summary: "已当场解决".to_owned(),
            remedy: String::new(),
            amount_minor: None,
            guidance: None,
            deviation: String::new(),
        },
    }
}

/// Something an expert may try with any complaint.
pub fn expert_step(dice: &mut Dice, complaint: &Complaint, now: DateTime<Utc>) -> Fact {
    let text = || "处理中".to_owned();
    match dice.below(11) {
        0..=2 => Fact::Claimed {
            lease: LeaseId(dice.uuid()),
            until: now + TimeDelta::minutes(30),
        },
        3 | 10 => Fact::ReturnedToBranch { reason: text() },
        4 => Fact::Reported {
            task: None,
            report: Report {
                root_cause: text(),
                impact: text(),
                proposal: text(),
                ..Default::default()
            },
        },
        5 => Fact::SolvingStarted { plan: Vec::new() },
        6 => Fact::Implemented { summary: text() },
        7 => Fact::Answered {
            decision: Decision::Upheld,
            text: text(),
            remedy: text(),
            reasons: String::new(),
            amount_minor: None,
            next_level: String::new(),
            next_level_until: None,
            guidance: None,
            deviation: String::new(),
        },
        8 => match &complaint.claim {
            Some(claim) => Fact::Released {
                lease: claim.lease,
                cause: ReleaseCause::GivenBack,
            },
            None => Fact::Reopened { reason: text() },
        },
        _ => Fact::Noted { text: text() },
    }
}
