//! Trusted time under clocks that are set, computers that sleep and restart,
//! and contacts with the hub now and then, as random schedules.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use suda_domain::trusted::{JUMP, Kept, Reading, Stretch, TOLERANCE, WorkingClock, shifts};

#[derive(Clone, Copy, Debug)]
enum Happening {
    /// Time goes by, asleep or awake: the monotonic clock counts both.
    Pass(i64),
    /// Somebody sets the PC's clock by so many milliseconds.
    Set(i64),
    /// The program is started again; the computer too, when `reboot`, and
    /// stays off for a while.
    Restart {
        reboot: bool,
        off_ms: i64,
        kept_lately: bool,
    },
    /// The hub is reached.
    Contact,
    /// Something is written.
    Write,
}

/// What was written.
#[derive(Clone, Copy, Debug)]
struct Written {
    truly: i64,
    stood: i64,
    boot: u32,
    mono: u64,
    /// As corrected when it begins, and when it ends a clock.
    begins: i64,
    ends: i64,
}

/// A computer with its desk, beside the true time.
struct Computer {
    truly: i64,
    wall_error: i64,
    boot: u32,
    booted: i64,
    clock: WorkingClock,
    kept: Kept,
    /// Begin, first writing, and where it ended.
    stretches: Vec<(i64, usize, Option<i64>)>,
    seen: i64,
    written: Vec<Written>,
    jumps: usize,
}

fn time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_790_000_000_000 + ms).unwrap()
}

fn ms(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis() - 1_790_000_000_000
}

impl Computer {
    /// Enrolled, so that the hub's clock is known, with a clock that is wrong.
    fn new(wall_error: i64) -> Self {
        let now = Reading {
            wall: time(wall_error),
            mono_ms: 0,
        };
        let mut clock = WorkingClock::unknown(now);
        clock.meet(time(0), 0, TimeDelta::zero());
        let mut computer = Self {
            truly: 0,
            wall_error,
            boot: 0,
            booted: 0,
            clock,
            kept: Kept {
                boot: None,
                mono_ms: 0,
                wall: now.wall,
                at: time(0),
                contact: None,
                newest: None,
            },
            stretches: Vec::new(),
            seen: 0,
            written: Vec::new(),
            jumps: 0,
        };
        computer.keep();
        computer
    }

    fn reading(&self) -> Reading {
        Reading {
            wall: time(self.truly + self.wall_error),
            mono_ms: u64::try_from(self.truly - self.booted).unwrap(),
        }
    }

    fn look(&mut self) {
        self.jumps += usize::from(self.clock.look(self.reading()).is_some());
    }

    fn keep(&mut self) {
        let now = self.reading();
        self.kept = Kept {
            boot: Some(self.boot.to_string()),
            mono_ms: now.mono_ms,
            wall: now.wall,
            at: self.clock.at(now.mono_ms),
            contact: self.clock.contact(),
            newest: None,
        };
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Pass(ms) => self.truly += ms,
            Happening::Set(ms) => self.wall_error += ms,
            Happening::Restart {
                reboot,
                off_ms,
                kept_lately,
            } => self.restart(reboot, off_ms, kept_lately),
            Happening::Contact => self.contact(),
            Happening::Write => self.write(),
        }
        if !matches!(what, Happening::Set(_)) {
            self.look();
        }
    }

    fn restart(&mut self, reboot: bool, off_ms: i64, kept_lately: bool) {
        if kept_lately {
            self.look();
            self.keep();
        }
        self.truly += off_ms;
        if reboot {
            self.boot += 1;
            self.booted = self.truly;
        }
        let resumed =
            WorkingClock::resume(&self.kept, Some(&self.boot.to_string()), self.reading());
        assert_eq!(resumed.linked, !reboot);
        let resumed_at = resumed.clock.at(self.reading().mono_ms);
        assert!(resumed_at >= self.kept.seen(), "before what was seen");
        self.clock = resumed.clock;
        self.jumps += usize::from(resumed.jump.is_some());
        if reboot {
            let seen = ms(self.kept.seen());
            match self.stretches.last_mut() {
                Some(last) => last.2 = Some(seen),
                None => self.seen = seen,
            }
            let begun = ms(self.clock.at(self.reading().mono_ms));
            self.stretches.push((begun, self.written.len(), None));
            self.keep();
        }
    }

    fn contact(&mut self) {
        let now = self.reading();
        let here = self.clock.at(now.mono_ms);
        let behind = time(self.truly) - here;
        let stretches: Vec<Stretch> = self
            .stretches
            .iter()
            .map(|&(begun, _, ended)| Stretch {
                begun: time(begun),
                ended: ended.map_or(here, time),
            })
            .collect();
        let corrections = shifts(time(self.seen), &stretches, behind);
        for (index, shift) in corrections.iter().enumerate() {
            let from = self.stretches[index].1;
            let upto = self
                .stretches
                .get(index + 1)
                .map_or(self.written.len(), |next| next.1);
            for one in &mut self.written[from..upto] {
                one.begins = one.stood + shift.begins.num_milliseconds();
                one.ends = one.stood + shift.ends.num_milliseconds();
            }
        }
        self.clock
            .meet(time(self.truly), now.mono_ms, TimeDelta::zero());
        self.stretches.clear();
        self.keep();
    }

    fn write(&mut self) {
        self.look();
        let now = self.reading();
        let stood = ms(self.clock.at(now.mono_ms));
        self.kept.newest = Some(time(stood));
        self.written.push(Written {
            truly: self.truly,
            stood,
            boot: self.boot,
            mono: now.mono_ms,
            begins: stood,
            ends: stood,
        });
    }
}

const DAY: i64 = 24 * 3600 * 1000;

fn tolerance() -> i64 {
    TOLERANCE.num_milliseconds()
}

fn happenings(set: impl Strategy<Value = i64> + Clone) -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        3 => (1i64..2 * 3600 * 1000).prop_map(Happening::Pass),
        1 => (1i64..3 * DAY).prop_map(Happening::Pass),
        2 => set.prop_map(Happening::Set),
        2 => (any::<bool>(), 1i64..DAY, any::<bool>()).prop_map(
            |(reboot, off_ms, kept_lately)| Happening::Restart {
                reboot,
                off_ms,
                kept_lately,
            }
        ),
        2 => Just(Happening::Contact),
        5 => Just(Happening::Write),
    ];
    prop::collection::vec(one, 1..30)
}

fn lived(error: i64, happenings: &[Happening]) -> Computer {
    let mut computer = Computer::new(error);
    for &what in happenings {
        computer.happen(what);
    }
    computer.happen(Happening::Contact);
    computer
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever is done to the wall clock, the corrected time between two
    /// writings of one start of the computer is what the monotonic clock counted.
    #[test]
    fn between_two_steps_lies_what_the_monotonic_clock_counted(
        error in -30 * DAY..30 * DAY,
        happenings in happenings(-30 * DAY..30 * DAY),
    ) {
        let computer = lived(error, &happenings);
        for pair in computer.written.windows(2).filter(|pair| pair[0].boot == pair[1].boot) {
            let counted = i64::try_from(pair[1].mono - pair[0].mono).unwrap();
            let corrected = pair[1].begins - pair[0].begins;
            prop_assert!((corrected - counted).abs() <= tolerance(), "{pair:?}");
        }
    }

    /// A clock set back, at any time, running or not, makes no beginning
    /// later and no end earlier than it was: what was late is never in time.
    #[test]
    fn a_clock_set_back_improves_no_figure(
        error in -30 * DAY..30 * DAY,
        happenings in happenings(-30 * DAY..0),
    ) {
        let computer = lived(error, &happenings);
        for one in &computer.written {
            prop_assert!(one.begins <= one.truly + tolerance(), "{one:?}");
            prop_assert!(one.ends >= one.truly - tolerance(), "{one:?}");
        }
    }

    /// Unless the computer was restarted twice without a contact between, every
    /// time is the true one after the contact, however the clock was set.
    #[test]
    fn after_the_contact_every_time_is_the_true_one(
        error in -30 * DAY..30 * DAY,
        happenings in happenings(-30 * DAY..30 * DAY),
    ) {
        let mut computer = Computer::new(error);
        for &what in &happenings {
            let reboots = matches!(what, Happening::Restart { reboot: true, .. });
            if reboots && !computer.stretches.is_empty() {
                computer.happen(Happening::Contact);
            }
            computer.happen(what);
        }
        computer.happen(Happening::Contact);
        for one in &computer.written {
            prop_assert!((one.begins - one.truly).abs() <= tolerance(), "{one:?}");
            prop_assert!((one.ends - one.truly).abs() <= tolerance(), "{one:?}");
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// A clock set while the computer runs is always noticed; one that is let
    /// be never is.
    #[test]
    fn a_set_clock_is_noticed_and_a_good_one_is_not_blamed(
        error in -30 * DAY..30 * DAY,
        happenings in happenings(-30 * DAY..30 * DAY),
        by in JUMP.num_milliseconds()..30 * DAY,
        back in any::<bool>(),
    ) {
        let alone: Vec<Happening> = happenings
            .into_iter()
            .filter(|what| !matches!(what, Happening::Set(_)))
            .collect();
        let mut computer = lived(error, &alone);
        prop_assert_eq!(computer.jumps, 0);
        computer.happen(Happening::Set(if back { -by } else { by }));
        computer.happen(Happening::Pass(1000));
        prop_assert_eq!(computer.jumps, 1);
    }
}
