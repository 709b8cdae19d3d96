//! The desk's sense of time while the program runs: the working clock, the
//! stretch of unconfirmed time it is in, and what was noticed of the PC's clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use suda_domain::Stamp;
use suda_domain::trusted::{Jump, Kept, Reading, WorkingClock};
use suda_sync::message::ClockNotice;

use crate::clock::{Clock, HubTime, reading, to_ms};
use crate::store::clock::{Jumps, StretchRow};
use crate::view::ClockView;

/// A reading is kept at least so often, so that a restart goes on from it.
const KEEP_MS: u64 = 30_000;

/// The time, and what is known of it.
pub(crate) struct Timekeeper {
    pub(crate) clock: Arc<dyn Clock>,
    held: Mutex<Held>,
}

/// What is held of the time. A copy is changed and put back, so that a failed
/// transaction leaves nothing changed.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) working: WorkingClock,
    /// The unconfirmed stretch under way.
    pub(crate) stretch: Option<i64>,
    pub(crate) jumps: Jumps,
    /// Begun when the program started and not yet in the store.
    pub(crate) unwritten: Option<StretchRow>,
    kept_at_mono_ms: u64,
    /// Something was noticed since it was last kept.
    news: bool,
}

impl Held {
    /// Goes on from what the store holds: what was kept, the stretches not
    /// confirmed, and the last event's number.
    pub(crate) fn resume(
        clock: &dyn Clock,
        kept: Option<(Kept, Jumps)>,
        unconfirmed: &[StretchRow],
        last_seq: i64,
    ) -> Self {
        let now = reading(clock);
        let Some((kept, mut jumps)) = kept else {
            return Self {
                working: WorkingClock::unknown(now),
                stretch: None,
                jumps: Jumps::default(),
                unwritten: None,
                kept_at_mono_ms: now.mono_ms,
                news: false,
            };
        };
        let resumed = WorkingClock::resume(&kept, clock.boot().as_deref(), now);
        if let Some(jump) = resumed.jump {
            warn(jump);
            jumps.add(jump);
        }
        let last = unconfirmed.last().map(|row| row.stretch);
        let begun = (!resumed.linked).then(|| StretchRow {
            stretch: last.unwrap_or_default() + 1,
            begun_ms: to_ms(resumed.clock.at(now.mono_ms)),
            mono_ms: now.mono_ms,
            seen_ms: to_ms(kept.seen()),
            first_seq: last_seq,
            ended_ms: None,
            jump_by_ms: resumed.jump.map(|jump| jump.by_ms),
        });
        Self {
            working: resumed.clock,
            stretch: begun.map(|row| row.stretch).or(last),
            jumps,
            unwritten: begun,
            kept_at_mono_ms: now.mono_ms,
            news: begun.is_some() || resumed.jump.is_some(),
        }
    }

    /// Notices a clock that was set. Whether it was.
    fn look(&mut self, now: Reading) -> bool {
        let Some(jump) = self.working.look(now) else {
            return false;
        };
        warn(jump);
        self.jumps.add(jump);
        self.news = true;
        true
    }

    /// The stamp of something written at `now`.
    pub(crate) fn stamp(&self, now: Reading) -> Stamp {
        let at = self.working.at(now.mono_ms);
        let age = self
            .working
            .contact()
            .map(|contact| (at - contact).num_seconds().max(0));
        Stamp {
            wall: now.wall,
            mono_ms: now.mono_ms,
            hub_offset_ms: age.map(|_| (at - now.wall).num_milliseconds()),
            offset_age_s: age.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
        }
    }

    pub(crate) fn kept(&self, boot: Option<String>, now: Reading) -> Kept {
        Kept {
            boot,
            mono_ms: now.mono_ms,
            wall: now.wall,
            at: self.working.at(now.mono_ms),
            contact: self.working.contact(),
            newest: None,
        }
    }
}

fn warn(jump: Jump) {
    tracing::warn!(by_ms = jump.by_ms, "this computer's clock was set");
}

impl Timekeeper {
    pub(crate) fn new(clock: Arc<dyn Clock>, held: Held) -> Self {
        Self {
            clock,
            held: Mutex::new(held),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time in trusted time, and whether the clock was seen to be set.
    pub(crate) fn now(&self) -> (DateTime<Utc>, bool) {
        let (now, held, set) = self.look();
        (held.working.at(now.mono_ms), set)
    }

    pub(crate) fn stamp(&self) -> Stamp {
        let (now, held, _) = self.look();
        held.stamp(now)
    }

    /// What is known of the time and of this computer's clock.
    pub(crate) fn view(&self) -> ClockView {
        let (now, held, _) = self.look();
        let stamp = held.stamp(now);
        let last = held.jumps.last;
        ClockView {
            now: held.working.at(now.mono_ms),
            off_by_s: stamp.hub_offset_ms.map(|ms| ms / 1000),
            seen_before_s: stamp.offset_age_s,
            unconfirmed: held.stretch.is_some(),
            jumps: held.jumps.count,
            last_jump_at: last.map(|jump| jump.at),
            last_jump_by_s: last.map(|jump| jump.by_ms / 1000),
        }
    }

    /// What the hub is told of this computer's clock.
    pub(crate) fn notice(&self) -> ClockNotice {
        let jumps = self.copy().jumps;
        ClockNotice {
            jumps: jumps.count,
            last_at: jumps.last.map(|jump| jump.at),
            last_by_ms: jumps.last.map(|jump| jump.by_ms),
        }
    }

    /// Everything held, as of now.
    pub(crate) fn copy(&self) -> Held {
        self.look().1.clone()
    }

    /// Puts a changed copy in place and gives what was there.
    pub(crate) fn put(&self, held: Held) -> Held {
        std::mem::replace(&mut *self.held(), held)
    }

    pub(crate) fn reading(&self) -> Reading {
        reading(self.clock.as_ref())
    }

    /// The hub's time in an answer to a question asked at `asked_ms`.
    pub(crate) fn hub_time(&self, hub_now: DateTime<Utc>, asked_ms: u64) -> HubTime {
        let mono_ms = self.clock.mono_ms();
        HubTime::measured(hub_now, mono_ms, mono_ms.saturating_sub(asked_ms))
    }

    /// Whether the hub's clock has ever been seen.
    pub(crate) fn is_known(&self) -> bool {
        self.held().working.contact().is_some()
    }

    /// Whether a reading should be kept now: there are news, or the last is old.
    pub(crate) fn wants_keeping(&self) -> bool {
        let (now, held, _) = self.look();
        let old = now.mono_ms.saturating_sub(held.kept_at_mono_ms) >= KEEP_MS;
        held.working.contact().is_some() && (held.news || old)
    }

    /// A reading was kept.
    pub(crate) fn has_kept(&self, at: Reading) {
        let mut held = self.held();
        held.kept_at_mono_ms = at.mono_ms;
        held.unwritten = None;
        held.news = false;
    }

    fn look(&self) -> (Reading, MutexGuard<'_, Held>, bool) {
        let mut held = self.held();
        let now = self.reading();
        let set = held.look(now);
        (now, held, set)
    }
}
