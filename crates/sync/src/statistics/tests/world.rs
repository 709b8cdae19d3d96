//! One desk, one hub and the line between them, as far as lane 3 goes.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate};
use suda_domain::DeviceId;
use uuid::Uuid;

use super::super::{
    Command, Counts, DayName, DayTaken, DayTotals, DeskStanding, Input, MOST_DAYS, Sender, Taken,
    Waiting,
};

/// What happens next.
#[derive(Clone, Debug)]
pub enum Op {
    /// The running day is written with so many more.
    Count(u64),
    NextDay,
    /// So many milliseconds later the machine may run; what it sends first
    /// meets this fate, the rest arrives.
    Run(u64, Fate),
    /// As before, with something to send in another lane.
    RunBusy(u64),
    /// A message that was held up arrives once more.
    DeliverLate(usize),
    /// The desk's program ends and starts.
    Crash,
    BackUpHub,
    /// The hub is put back to its backup, under a new epoch.
    PutHubBack,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    Arrives,
    Lost,
    AnswerLost,
    ArrivesTwice,
    /// Lost, and delivered at some later time.
    ArrivesLate,
    Busy,
    /// Dropped for another lane.
    CutOff,
}

#[derive(Clone, Debug)]
struct Row {
    totals: DayTotals,
    taken: u64,
    epoch: Option<u32>,
    taken_ms: u64,
}

/// What survives the end of the desk's program.
#[derive(Clone, Debug)]
pub struct Desk {
    rows: BTreeMap<DayName, Row>,
    today: NaiveDate,
    /// Of the hub, as the last welcome said.
    epoch: u32,
}

type Held = BTreeMap<DayName, DayTotals>;

pub struct World {
    pub desk: Desk,
    sender: Sender,
    hub: Held,
    epoch: u32,
    backup: Held,
    late: Vec<Vec<DayTotals>>,
    now: u64,
    /// Whether the hub looks at revisions.
    compares: bool,
    pub messages: u64,
    pub sent_while_busy: u64,
    pub went_back: bool,
}

impl World {
    pub fn new(compares: bool) -> Self {
        Self {
            desk: Desk {
                rows: BTreeMap::new(),
                today: NaiveDate::from_ymd_opt(2026, 7, 1).unwrap(),
                epoch: 1,
            },
            sender: Sender::new(5),
            hub: BTreeMap::new(),
            epoch: 1,
            backup: BTreeMap::new(),
            late: Vec::new(),
            now: 0,
            compares,
            messages: 0,
            sent_while_busy: 0,
            went_back: false,
        }
    }

    pub fn perform(&mut self, op: Op) {
        match op {
            Op::Count(more) => self.desk.count(more),
            Op::NextDay => self.desk.today = self.desk.today + Days::new(1),
            Op::Run(ms, fate) => {
                self.now += ms;
                self.run(true, fate);
            }
            Op::RunBusy(ms) => {
                self.now += ms;
                let before = self.messages;
                self.run(false, Fate::Arrives);
                self.sent_while_busy += self.messages - before;
            }
            Op::DeliverLate(which) => {
                let held_up = self.late.iter().cycle().nth(which).cloned();
                self.arrive(&held_up.unwrap_or_default());
            }
            Op::Crash => self.sender = Sender::new(self.now | 1),
            Op::BackUpHub => self.backup = self.hub.clone(),
            Op::PutHubBack => {
                self.hub = self.backup.clone();
                self.epoch += 1;
                // A message of before carries a session of the old epoch.
                self.late.clear();
            }
        }
    }

    /// Time goes by and everything arrives, until nothing waits.
    pub fn heal(&mut self) {
        // The other lanes' rounds say hello.
        self.desk.epoch = self.epoch;
        self.desk.today = self.desk.today + Days::new(1);
        for _ in 0..20 {
            self.now += 30 * 60_000;
            self.run(true, Fate::Arrives);
        }
    }

    pub fn held(&self) -> Vec<DayTotals> {
        self.hub.values().cloned().collect()
    }

    pub fn written(&self) -> Vec<DayTotals> {
        let rows = self.desk.rows.values();
        rows.map(|row| row.totals.clone()).collect()
    }

    fn run(&mut self, free: bool, fate: Fate) {
        let mut fate = Some(fate);
        let mut input = Input::Tick { free };
        for _ in 0..100 {
            let Some(command) = self.sender.step(self.now, input).command else {
                return;
            };
            input = match command {
                Command::Read => Input::Days(self.desk.waiting(self.now)),
                Command::Send(days) => self.send(&days, fate.take().unwrap_or(Fate::Arrives)),
                Command::Save { epoch, days } => {
                    self.desk.save(epoch.parse().unwrap(), &days, self.now);
                    Input::Saved
                }
            };
        }
        panic!("it never rests");
    }

    fn send(&mut self, days: &[DayTotals], fate: Fate) -> Input {
        assert!((1..=MOST_DAYS).contains(&days.len()));
        if self.desk.epoch != self.epoch {
            // The session is refused; the hello that follows tells the epoch.
            self.desk.epoch = self.epoch;
            return Input::Cut;
        }
        self.messages += 1;
        match fate {
            Fate::Lost => Input::Failed,
            Fate::Busy => Input::Busy { retry_ms: 5_000 },
            Fate::CutOff => {
                self.arrive(days);
                Input::Cut
            }
            Fate::ArrivesLate => {
                self.late.push(days.to_vec());
                Input::Failed
            }
            Fate::AnswerLost => {
                self.arrive(days);
                Input::Failed
            }
            Fate::ArrivesTwice => {
                self.arrive(days);
                Input::Taken(self.arrive(days))
            }
            Fate::Arrives => Input::Taken(self.arrive(days)),
        }
    }

    /// As the hub's stores do it.
    fn arrive(&mut self, days: &[DayTotals]) -> Taken {
        for day in days {
            let held = self.hub.get(&day.name).map_or(0, |held| held.revision);
            if day.revision > held || !self.compares {
                self.went_back |= day.revision < held;
                self.hub.insert(day.name, day.clone());
            }
        }
        let held = days.iter().map(|day| DayTaken {
            name: day.name,
            revision: self.hub[&day.name].revision,
        });
        Taken {
            device: DeviceId(Uuid::nil()),
            epoch: self.epoch.to_string(),
            days: held.collect(),
            at: DateTime::UNIX_EPOCH,
        }
    }
}

impl Desk {
    fn count(&mut self, more: u64) {
        let name = DayName {
            incarnation: 1,
            day: self.today,
        };
        let row = self.rows.entry(name).or_insert_with(|| Row {
            totals: DayTotals {
                name,
                revision: 0,
                counts: Counts::default(),
                standing: DeskStanding::default(),
            },
            taken: 0,
            epoch: None,
            taken_ms: 0,
        });
        row.totals.revision = row.totals.revision.max(row.taken) + 1;
        row.totals.counts.forms_saved += more;
    }

    fn waiting(&self, now: u64) -> Vec<Waiting> {
        let rows = self.rows.values();
        rows.filter(|row| row.epoch != Some(self.epoch) || row.totals.revision > row.taken)
            .map(|row| Waiting {
                totals: row.totals.clone(),
                running: row.totals.name.day == self.today,
                taken_before_ms: (row.epoch == Some(self.epoch)).then(|| now - row.taken_ms),
            })
            .collect()
    }

    fn save(&mut self, epoch: u32, days: &[DayTaken], now: u64) {
        for day in days {
            let row = self.rows.get_mut(&day.name).unwrap();
            row.taken = day.revision;
            row.epoch = Some(epoch);
            row.taken_ms = now;
        }
    }
}
