//! The writing side of a desk without a store: lanes, chains, numbers. What it
//! writes is what a real desk writes.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::fact::{HandoffCause, Source};
use suda_domain::{
    Actor, BranchCode, ComplaintId, Complexity, DeviceId, EventKey, Fact, Grade, HandoffPacket,
    Intake, Lane, LedgerEvent, ReferenceNumber, Stamp,
};
use suda_sync::desk::Stream;
use suda_sync::place::LaneHead;
use suda_sync::rekey::rekey;
use suda_sync::{Hash, SealedEvent};
use uuid::Uuid;

use crate::Failure;

#[derive(Clone)]
pub struct Pen {
    pub device: DeviceId,
    pub incarnation: u32,
    pub actor: Actor,
    pub branch: BranchCode,
    pub letter: String,
    running: u32,
    /// Everything written, by lane.
    lanes: Lanes,
    /// What earlier incarnations have written.
    earlier: BTreeMap<u32, Lanes>,
}

type Lanes = [Vec<SealedEvent>; 4];

/// Events of a recorded complaint before any note.
const LEAST: u32 = 2;

impl Pen {
    pub fn new(
        device: DeviceId,
        incarnation: u32,
        actor: Actor,
        branch: BranchCode,
        letter: String,
    ) -> Self {
        Self {
            device,
            incarnation,
            actor,
            branch,
            letter,
            running: 0,
            lanes: Lanes::default(),
            earlier: BTreeMap::new(),
        }
    }

    pub fn written(&self) -> [u64; 4] {
        counts(&self.lanes)
    }

    /// How much each earlier incarnation has written and kept, by lane.
    pub fn earlier(&self) -> impl Iterator<Item = (u32, [u64; 4])> {
        self.earlier.iter().map(|(of, lanes)| (*of, counts(lanes)))
    }

    /// Everything of a lane of one incarnation, in order.
    pub fn stream(&self, stream: Stream) -> &[SealedEvent] {
        let lanes = match stream.incarnation == self.incarnation {
            true => Some(&self.lanes),
            false => self.earlier.get(&stream.incarnation),
        };
        lanes.map_or(&[], |lanes| &lanes[stream.lane.index()])
    }

    /// Goes on as this incarnation, from number 1.
    pub fn renew(&mut self, incarnation: u32, letter: String) {
        let lanes = std::mem::take(&mut self.lanes);
        self.earlier.insert(self.incarnation, lanes);
        self.incarnation = incarnation;
        self.letter = letter;
    }

    /// Gives what an earlier incarnation wrote from `from_n` on the next numbers.
    pub fn rekey(&mut self, stream: Stream, from_n: u64) -> Result<(), Failure> {
        let lane = stream.lane.index();
        let kept = usize::try_from(from_n.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(earlier) = self.earlier.get_mut(&stream.incarnation) else {
            return Err(Failure::Said("no earlier incarnation to number".to_owned()));
        };
        let kept = kept.min(earlier[lane].len());
        let mut events = Vec::new();
        for sealed in earlier[lane].split_off(kept) {
            let event = sealed.open().map_err(|e| Failure::Said(e.to_string()))?;
            events.push((event, sealed.hash));
        }
        let written = &mut self.lanes[lane];
        let mut head = LaneHead {
            n: written.len() as u64,
            hash: written.last().map_or(Hash::START, |event| event.hash),
        };
        let numbered = rekey(events, self.incarnation, &mut head)?;
        written.extend(numbered.into_iter().map(|one| one.sealed));
        Ok(())
    }

    /// Everything written in a lane, in order; the first has number 1.
    pub fn lane(&self, lane: Lane) -> &[SealedEvent] {
        &self.lanes[lane.index()]
    }

    /// Records and assesses a complaint, adds notes until it has `events`
    /// events, and hands it off when it is complex.
    pub fn complaint(
        &mut self,
        at: DateTime<Utc>,
        events: u32,
        complex: bool,
    ) -> Result<ComplaintId, Failure> {
        let id = ComplaintId(Uuid::now_v7());
        self.running += 1;
        let date = at.date_naive();
        let reference = ReferenceNumber::compose(&self.branch, date, &self.letter, self.running)
            .map_err(|error| Failure::Said(format!("a reference number: {error}")))?;
        let complexity = match complex {
            true => Complexity::Complex,
            false => Complexity::Simple,
        };
        let intake = self.intake();
        let recorded = Fact::Recorded {
            reference: reference.clone(),
            intake: Box::new(intake.clone()),
            arrived_at: at,
            late: false,
            source: Source::Form,
        };
        let assessed = Fact::Assessed {
            category: intake.category.clone(),
            grade: Grade::Two,
            complexity,
            suggestion: None,
            override_reason: None,
        };
        self.write(Lane::Ordinary, id, at, recorded)?;
        self.write(Lane::Ordinary, id, at, assessed)?;
        let notes = events.saturating_sub(LEAST + u32::from(complex));
        for n in 0..notes {
            let text = format!("第{}次联系客户，客户仍在等待答复，已安抚。", n + 1);
            let at = at + TimeDelta::minutes(i64::from(n));
            self.write(Lane::Ordinary, id, at, Fact::Noted { text })?;
        }
        if complex {
            let packet = HandoffPacket {
                reference,
                branch: self.branch.clone(),
                arrived_at: at,
                recorded_at: at,
                late: false,
                intake,
                cut: false,
                grade: Grade::Two,
                complexity,
                cycle: 1,
                recused: Vec::new(),
                upto_n: self.written()[Lane::Ordinary.index()],
            };
            let handed_off = Fact::HandedOff {
                packet: Box::new(packet),
                cause: HandoffCause::Manual,
            };
            self.write(Lane::Urgent, id, at, handed_off)?;
        }
        Ok(id)
    }

    fn intake(&self) -> Intake {
        Intake {
            name: "测试".into(),
            phone: format!("139{:08}", self.running),
            category: "B.01.01".into(),
            description: format!(
                "{}{}第{}号：宽带断了三天，报修两次都没有人来，打客服电话一直占线，影响孩子上网课。",
                self.branch, self.letter, self.running
            ),
            remedy_sought: "尽快修好并减免月费".into(),
            ..Intake::default()
        }
    }

    fn write(
        &mut self,
        lane: Lane,
        complaint: ComplaintId,
        at: DateTime<Utc>,
        fact: Fact,
    ) -> Result<(), Failure> {
        let written = &mut self.lanes[lane.index()];
        let n = written.len() as u64 + 1;
        let prev = written.last().map_or(Hash::START, |event| event.hash);
        let event = LedgerEvent {
            key: EventKey {
                device: self.device,
                incarnation: self.incarnation,
                lane,
                n,
            },
            complaint,
            owner_no: 1,
            at: Stamp {
                wall: at,
                mono_ms: n,
                hub_offset_ms: Some(0),
                offset_age_s: Some(1),
            },
            actor: self.actor.clone(),
            fact,
            origin: None,
        };
        written.push(SealedEvent::seal(&event, prev)?);
        Ok(())
    }
}

fn counts(lanes: &Lanes) -> [u64; 4] {
    [0, 1, 2, 3].map(|lane: usize| lanes[lane].len() as u64)
}
