//! Trusted time (product.md, "Time that can be trusted"): going on from the
//! hub's clock with a clock that nobody can set, noticing when the wall clock
//! was set, and putting right what was written before the hub could be asked.
//!
//! The working clock of a desk is the hub's time at the last contact plus what
//! the monotonic clock has counted since. Setting the PC's clock moves neither
//! it nor anything derived from it. Over a restart of the computer only the
//! wall clock is left: it is taken with the offset last known, and never
//! earlier than what the desk has already seen. Times from then on are
//! unconfirmed until the hub is reached; then they are put right.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::fact::Fact;
use crate::ids::DeviceId;
use crate::ledger::EventKey;

/// Differences up to this are the network's and the crystals', not worth a
/// correction.
pub const TOLERANCE: TimeDelta = TimeDelta::seconds(2);
/// A wall clock that moves this far against the monotonic one was set. Time
/// services correct a running clock by less.
pub const JUMP: TimeDelta = TimeDelta::seconds(10);

/// A computer's clocks, read together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    pub wall: DateTime<Utc>,
    /// Milliseconds of a clock that never goes back and that counts sleep.
    pub mono_ms: u64,
}

/// The wall clock was set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Jump {
    /// When it was noticed, in trusted time as it then was.
    pub at: DateTime<Utc>,
    /// How far it was set, in milliseconds: forward when positive, back when
    /// negative. Back at least so far, when noticed over a restart.
    pub by_ms: i64,
}

/// The desk's best knowledge of the hub's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorkingClock {
    /// The time it was when the monotonic clock showed `mono_ms`.
    at: DateTime<Utc>,
    mono_ms: u64,
    /// The last contact with the hub; absent before the first.
    contact: Option<DateTime<Utc>>,
    /// This clock minus the wall clock when last looked at.
    offset: TimeDelta,
}

/// What is left of a working clock when the program ends, as it stood at one
/// reading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Which start of the computer `mono_ms` counts from; absent where the
    /// system does not tell.
    pub boot: Option<String>,
    pub mono_ms: u64,
    pub wall: DateTime<Utc>,
    pub at: DateTime<Utc>,
    pub contact: Option<DateTime<Utc>>,
    /// The latest time in the ledger, when later than `at`.
    pub newest: Option<DateTime<Utc>>,
}

impl Kept {
    /// The latest time the desk is known to have seen.
    pub fn seen(&self) -> DateTime<Utc> {
        self.newest.map_or(self.at, |newest| newest.max(self.at))
    }
}

/// A working clock taken up again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resumed {
    pub clock: WorkingClock,
    /// The monotonic clock still counts from the same start: nothing was lost.
    pub linked: bool,
    pub jump: Option<Jump>,
}

impl WorkingClock {
    /// With nothing known but the wall clock.
    pub fn unknown(now: Reading) -> Self {
        Self {
            at: now.wall,
            mono_ms: now.mono_ms,
            contact: None,
            offset: TimeDelta::zero(),
        }
    }

    /// Goes on from what was kept.
    pub fn resume(kept: &Kept, boot: Option<&str>, now: Reading) -> Resumed {
        let same_start = boot.is_some() && kept.boot.as_deref() == boot;
        let linked = same_start && now.mono_ms >= kept.mono_ms;
        let known_offset = kept.at - kept.wall;
        let by_wall = now.wall.checked_add_signed(known_offset).unwrap_or(kept.at);
        let (at, moved) = if linked {
            let at = later(kept.at, now.mono_ms - kept.mono_ms);
            (at, by_wall - at)
        } else {
            let at = by_wall.max(kept.seen());
            // What the wall clock lacks to what was already seen.
            (at, by_wall - at)
        };
        let clock = Self {
            at,
            mono_ms: now.mono_ms,
            contact: kept.contact,
            offset: at - now.wall,
        };
        Resumed {
            clock,
            linked,
            jump: jump(at, moved),
        }
    }

    /// The time when the monotonic clock shows `mono_ms`.
    pub fn at(&self, mono_ms: u64) -> DateTime<Utc> {
        later(self.at, mono_ms.saturating_sub(self.mono_ms))
    }

    /// The last contact with the hub.
    pub fn contact(&self) -> Option<DateTime<Utc>> {
        self.contact
    }

    /// This clock minus the wall clock.
    pub fn offset(&self) -> TimeDelta {
        self.offset
    }

    /// Compares the wall clock with the monotonic one: whether it was set
    /// since last looked at. Changes no time.
    pub fn look(&mut self, now: Reading) -> Option<Jump> {
        let at = self.at(now.mono_ms);
        let offset = at - now.wall;
        let moved = self.offset - offset;
        self.offset = offset;
        jump(at, moved)
    }

    /// Takes the hub's time, known to within `doubt`, and gives how far this
    /// clock was behind it; zero when that may be the measurement's.
    pub fn meet(&mut self, hub: DateTime<Utc>, mono_ms: u64, doubt: TimeDelta) -> TimeDelta {
        let here = self.at(mono_ms);
        let behind = hub - here;
        let measured = self.contact.is_none() || behind.abs() > doubt;
        if !measured {
            self.contact = Some(here);
            return TimeDelta::zero();
        }
        self.contact = Some(hub);
        self.at = hub;
        self.mono_ms = mono_ms;
        self.offset += behind;
        behind
    }
}

fn later(at: DateTime<Utc>, ms: u64) -> DateTime<Utc> {
    i64::try_from(ms)
        .ok()
        .and_then(TimeDelta::try_milliseconds)
        .and_then(|passed| at.checked_add_signed(passed))
        .unwrap_or(at)
}

fn jump(at: DateTime<Utc>, moved: TimeDelta) -> Option<Jump> {
    let by_ms = moved.num_milliseconds();
    (moved.abs() >= JUMP).then_some(Jump { at, by_ms })
}

/// A stretch of unconfirmed time within which the monotonic clock counted
/// through, in times as they stood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    pub begun: DateTime<Utc>,
    /// The latest time seen in it.
    pub ended: DateTime<Utc>,
}

/// What has to be added to the times of a stretch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Shift {
    /// For what begins a clock, and for all of a complaint that began in the
    /// stretch, so that the time between its steps stays as it was counted.
    pub begins: TimeDelta,
    /// For what ends a clock that began before.
    pub ends: TimeDelta,
}

/// The corrections for each of `stretches`, the oldest first, when at a contact
/// the clock proved to be `behind` in the last. `seen` is the last confirmed
/// time before the first.
///
/// The last stretch is known exactly. One before it, cut off by a restart of
/// the computer, is only known to lie between its neighbours: where it cannot
/// have been when it says, beginnings are taken at the earliest and ends at the
/// latest moment possible, and where the clock proved to be behind, ends too, so
/// that no figure is better for a wrong clock.
pub fn shifts(seen: DateTime<Utc>, stretches: &[Stretch], behind: TimeDelta) -> Vec<Shift> {
    let Some((last, before)) = stretches.split_last() else {
        return Vec::new();
    };
    let exact = if behind.abs() > TOLERANCE {
        behind
    } else {
        TimeDelta::zero()
    };
    let mut earliest = Vec::with_capacity(before.len());
    let mut from = seen;
    for stretch in before {
        let begins = (from - stretch.begun).min(TimeDelta::zero());
        from = stretch.ended + begins;
        earliest.push(begins);
    }
    let mut shifts = vec![Shift {
        begins: exact,
        ends: exact,
    }];
    let mut bound = last.begun + exact;
    for (stretch, begins) in before.iter().zip(earliest).rev() {
        let latest = bound - stretch.ended;
        let impossible = latest < -TOLERANCE;
        let shift = Shift {
            begins: if impossible {
                begins
            } else {
                TimeDelta::zero()
            },
            ends: if impossible || exact > TimeDelta::zero() {
                latest
            } else {
                TimeDelta::zero()
            },
        };
        bound = stretch.begun + shift.ends;
        shifts.push(shift);
    }
    shifts.reverse();
    shifts
}

/// Which steps of a complaint have a corrected time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Corrections {
    steps: HashMap<(DeviceId, u32, u8, u64), DateTime<Utc>>,
}

impl Corrections {
    /// From all of a complaint's facts, each with the name of its event.
    pub fn of<'a>(facts: impl Iterator<Item = (EventKey, &'a Fact)>) -> Self {
        let mut steps = HashMap::new();
        for (key, fact) in facts {
            if let Fact::TimeCorrected { steps: list, .. } = fact {
                for step in list {
                    let of = (key.device, key.incarnation, step.lane, step.n);
                    steps.insert(of, step.is);
                }
            }
        }
        Self { steps }
    }

    /// The time that counts for a step, when it is not its stamp's.
    pub fn of_step(&self, key: EventKey) -> Option<DateTime<Utc>> {
        let of = (key.device, key.incarnation, key.lane.number(), key.n);
        self.steps.get(&of).copied()
    }
}
