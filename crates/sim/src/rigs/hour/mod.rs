//! `suda-sim hour`: a city's days with outages of the branches' lines, PCs that
//! are off and a hub that is down at times. Is every complex complaint with a
//! minute of link before its deadline in the queue in time, and is every other
//! breach explained? The hub is as quick here as it is for one desk; how many
//! it serves at once is another rig's question.

mod cell;
mod ledger;
mod spans;
mod weather;

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};
use suda_domain::breach::BreachCause;

use self::cell::{Cell, Size, Variant};
use self::ledger::Cause;
use super::Report;
use crate::cores::on_all_cores;
use crate::dice::Dice;

/// Branches of one cell: as many as fit into memory with a week's events.
const CELL: usize = 20;
/// Cells of the control.
const CONTROL_CELLS: usize = 5;
/// From the link's return to the queue, for 99 of 100.
const RECOVERY_BAR_MS: u64 = 30_000;

/// What came out of some cells.
#[derive(Clone, Debug, Default)]
struct Tally {
    complex: u64,
    promised: u64,
    promised_in_time: u64,
    in_time: u64,
    never_queued: u64,
    messages: u64,
    breaches: BTreeMap<&'static str, u64>,
    /// Breaches that name no time in which their cause held.
    without_span: u64,
    /// Breaches by what the hub tells people of them.
    told: BTreeMap<String, u64>,
    /// Breaches of which it tells what did not happen.
    mistold: u64,
    recoveries: Vec<u64>,
}

impl Tally {
    fn of(cell: &Cell) -> Self {
        let mut tally = Self {
            messages: cell.messages,
            ..Self::default()
        };
        for (case, weather, told) in cell.cases() {
            let verdict = ledger::judge(case, &weather, told);
            tally.mistold += u64::from(verdict.mistold);
            tally.complex += 1;
            tally.never_queued += u64::from(case.queued.is_none());
            tally.promised += u64::from(verdict.promised);
            tally.promised_in_time += u64::from(verdict.promised && verdict.in_time);
            tally.in_time += u64::from(verdict.in_time);
            tally.recoveries.extend(verdict.recovery_ms);
            if let Some(breach) = verdict.breach {
                *tally.breaches.entry(breach.cause.name()).or_default() += 1;
                tally.without_span += u64::from(breach.span.is_none());
                *tally.told.entry(name(told)).or_default() += 1;
            }
        }
        tally
    }

    fn add(&mut self, other: Self) {
        self.complex += other.complex;
        self.promised += other.promised;
        self.promised_in_time += other.promised_in_time;
        self.in_time += other.in_time;
        self.never_queued += other.never_queued;
        self.messages += other.messages;
        self.without_span += other.without_span;
        self.mistold += other.mistold;
        for (told, count) in other.told {
            *self.told.entry(told).or_default() += count;
        }
        self.recoveries.extend(other.recoveries);
        for (cause, count) in other.breaches {
            *self.breaches.entry(cause).or_default() += count;
        }
    }

    fn unexplained(&self) -> u64 {
        let name = Cause::Unexplained.name();
        self.breaches.get(name).copied().unwrap_or_default()
    }

    /// The time within which `percent` of a hundred were in the queue.
    fn recovery(&self, percent: usize) -> u64 {
        let mut times = self.recoveries.clone();
        times.sort_unstable();
        let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times.get(at).copied().unwrap_or_default()
    }

    fn keeps_the_promise(&self) -> bool {
        self.promised_in_time == self.promised
            && self.never_queued == 0
            && self.unexplained() == 0
            && self.mistold == 0
            && self.recovery(99) <= RECOVERY_BAR_MS
    }

    fn line(&self) -> Value {
        json!({
            "complex": self.complex,
            "with_60_s_of_link": self.promised,
            "of_these_in_time": self.promised_in_time,
            "in_time": self.in_time,
            "never_queued": self.never_queued,
            "breaches": self.breaches,
            "unexplained": self.unexplained(),
            "as_the_hub_tells": self.told,
            "told_otherwise_than_it_was": self.mistold,
            "breaches_without_a_span": self.without_span,
            "had_to_wait_for_the_link": self.recoveries.len(),
            "after_link_up_ms_p50": self.recovery(50),
            "after_link_up_ms_p99": self.recovery(99),
            "after_link_up_ms_max": self.recovery(100),
            "messages": self.messages,
        })
    }
}

/// As it stands in the hub's answers.
fn name(told: Option<BreachCause>) -> String {
    let value = serde_json::to_value(told).unwrap_or_default();
    value.as_str().unwrap_or("not told").to_owned()
}

fn city(branches: usize, days: u64, seed: u64, variant: Variant) -> anyhow::Result<Tally> {
    let full = (0..branches / CELL).map(|_| CELL);
    let rest = Some(branches % CELL).filter(|rest| *rest > 0);
    let mut dice = Dice::new(seed);
    let hub_down = weather::hub(&mut dice, days * weather::DAY_MS);
    let cells: Vec<(u64, usize)> = full
        .chain(rest)
        .map(|branches| (dice.next(), branches))
        .collect();
    let tallies = on_all_cores(&cells, |&(seed, branches)| {
        let mut cell = Cell::new(seed, Size { branches, days }, variant, hub_down.clone())?;
        cell.run();
        Ok(Tally::of(&cell))
    })?;
    let mut sum = Tally::default();
    for tally in tallies {
        sum.add(tally);
    }
    Ok(sum)
}

/// Runs the city with desks that hear of the link's return, with desks that do
/// not, and, as the control, a part of it with pauses that are too long.
///
/// # Errors
/// When a city cannot be made.
pub fn measure(branches: usize, days: u64, seed: u64) -> anyhow::Result<Report> {
    let began = Instant::now();
    let nudged = city(branches, days, seed, Variant::Nudged)?;
    let alone = city(branches, days, seed, Variant::Alone)?;
    let few = branches.min(CONTROL_CELLS * CELL);
    let control = city(few, days, seed, Variant::LongPauses)?;
    let line = json!({
        "rig": "hour",
        "branches": branches,
        "days": days,
        "seed": seed,
        "nudged": nudged.line(),
        "without_any_nudge": alone.line(),
        "control": {
            "bug": "pauses of ten minutes",
            "branches": few,
            "with_60_s_of_link": control.promised,
            "of_these_late": control.promised - control.promised_in_time,
            "unexplained": control.unexplained(),
            "after_link_up_ms_p99": control.recovery(99),
        },
        "seconds": began.elapsed().as_secs_f64(),
    });
    let passed = nudged.complex > 0
        && nudged.keeps_the_promise()
        && alone.keeps_the_promise()
        && !control.keeps_the_promise();
    Ok(Report { line, passed })
}
