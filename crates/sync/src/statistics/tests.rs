#![allow(clippy::unwrap_used)]

mod world;

use chrono::DateTime;
use proptest::prelude::*;
use suda_domain::DeviceId;
use uuid::Uuid;

use self::world::{Fate, Op, World};
use super::sender::RUNNING_MS;
use super::*;
use crate::message::{Ask, Request, VERSION};
use crate::sign::{SecretKey, Signed};

const HOUR_MS: u64 = 60 * 60_000;

fn op() -> impl Strategy<Value = Op> {
    let fate = prop_oneof![
        4 => Just(Fate::Arrives),
        1 => Just(Fate::Lost),
        1 => Just(Fate::AnswerLost),
        2 => Just(Fate::ArrivesTwice),
        2 => Just(Fate::ArrivesLate),
        1 => Just(Fate::Busy),
        1 => Just(Fate::CutOff),
    ];
    prop_oneof![
        6 => (1_u64..1000).prop_map(Op::Count),
        2 => Just(Op::NextDay),
        6 => (0..2 * HOUR_MS, fate).prop_map(|(ms, fate)| Op::Run(ms, fate)),
        2 => (0..2 * HOUR_MS).prop_map(Op::RunBusy),
        2 => (0_usize..100).prop_map(Op::DeliverLate),
        1 => Just(Op::Crash),
        1 => Just(Op::BackUpHub),
        1 => Just(Op::PutHubBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever is lost, doubled, late, crashes or is put back: in the end the
    /// hub holds of every day exactly what the desk wrote last, no older
    /// writing ever replaces a newer one, and nothing goes out while another
    /// lane has something to send.
    #[test]
    fn the_hub_ends_with_the_last_writing_of_every_day(
        ops in prop::collection::vec(op(), 1..80),
    ) {
        let mut world = World::new(true);
        for op in ops {
            world.perform(op);
        }
        world.heal();
        prop_assert!(!world.went_back, "an older writing replaced a newer one");
        prop_assert_eq!(world.sent_while_busy, 0);
        prop_assert_eq!(world.held(), world.written());
    }
}

/// The control of the property: a hub that takes whatever comes last is found.
#[test]
fn a_hub_that_ignores_revisions_would_be_found() {
    let mut world = World::new(false);
    world.perform(Op::Count(1));
    world.perform(Op::Run(0, Fate::ArrivesLate));
    world.perform(Op::Count(2));
    world.perform(Op::Run(2 * HOUR_MS, Fate::Arrives));
    world.perform(Op::DeliverLate(0));
    assert!(world.went_back);
    assert_ne!(world.held(), world.written());
}

#[test]
fn the_running_day_is_sent_once_an_hour_and_a_finished_one_at_once() {
    let mut world = World::new(true);
    for minute in 0..180 {
        world.perform(Op::Count(1));
        world.perform(Op::Run(60_000, Fate::Arrives));
        let least = (minute * 60_000) / RUNNING_MS;
        assert!(world.messages <= least + 1, "minute {minute}");
    }
    assert_eq!(world.messages, 3);
    world.perform(Op::NextDay);
    world.perform(Op::Run(60_000, Fate::Arrives));
    assert_eq!(world.messages, 4);
    assert_eq!(world.held(), world.written());
}

#[test]
fn after_a_new_epoch_every_day_kept_is_sent_again() {
    let mut world = World::new(true);
    world.perform(Op::BackUpHub);
    for _ in 0..20 {
        world.perform(Op::Count(1));
        world.perform(Op::NextDay);
    }
    world.heal();
    let before = world.messages;
    world.perform(Op::PutHubBack);
    world.heal();
    assert_eq!(world.held(), world.written());
    assert!(world.messages >= before + 20_u64.div_ceil(MOST_DAYS as u64));
}

#[test]
fn a_database_that_was_put_back_gets_past_the_revision_the_hub_holds() {
    let mut world = World::new(true);
    world.perform(Op::Count(1));
    let kept = world.desk.clone();
    for _ in 0..5 {
        world.perform(Op::Count(1));
    }
    world.heal();
    world.desk = kept;
    world.perform(Op::Run(2 * HOUR_MS, Fate::Arrives));
    world.perform(Op::Count(7));
    world.heal();
    assert_eq!(world.held(), world.written());
}

fn tick(sender: &mut Sender, now: u64) -> Option<Command> {
    sender.step(now, Input::Tick { free: true }).command
}

#[test]
fn a_hub_that_does_not_know_lane_3_is_left_alone_and_asked_again_later() {
    let mut sender = Sender::new(1);
    assert_eq!(tick(&mut sender, 0), Some(Command::Read));
    let step = sender.step(0, Input::OldHub);
    assert!(sender.met_old_hub() && step.command.is_none());
    assert!(step.wake_at_ms >= 30 * 60_000);
    assert_eq!(tick(&mut sender, 60_000), None, "no loop of errors");
    assert_eq!(tick(&mut sender, step.wake_at_ms), Some(Command::Read));
}

#[test]
fn a_hub_that_keeps_nothing_is_not_asked_in_a_hot_loop() {
    let mut sender = Sender::new(3);
    let mut sends = 0;
    let mut now = 0;
    while now < HOUR_MS {
        let mut command = tick(&mut sender, now);
        while let Some(next) = command {
            let input = match next {
                Command::Read => Input::Days(vec![Waiting {
                    totals: largest(1),
                    running: false,
                    taken_before_ms: None,
                }]),
                Command::Send(_) => {
                    sends += 1;
                    Input::Taken(Taken {
                        device: DeviceId(Uuid::nil()),
                        epoch: "e".into(),
                        days: Vec::new(),
                        at: DateTime::UNIX_EPOCH,
                    })
                }
                Command::Save { .. } => Input::Saved,
            };
            command = sender.step(now, input).command;
        }
        now += 1_000;
    }
    assert!((2..200).contains(&sends), "{sends} in an hour");
}

/// A day of which everything is as large as it can be.
fn largest(of_month: u32) -> DayTotals {
    DayTotals {
        name: DayName {
            incarnation: u32::MAX,
            day: NaiveDate::from_ymd_opt(2026, 10, of_month).unwrap(),
        },
        revision: u64::MAX,
        counts: Counts::each(u64::MAX),
        standing: DeskStanding {
            version: "v".repeat(NAME_BYTES),
            system: "s".repeat(NAME_BYTES),
            database_bytes: u64::MAX,
            free_bytes: Some(u64::MAX),
            unsent_events: u64::MAX,
            evidence_bytes: u64::MAX,
            backup_age_min: Some(u64::MAX),
        },
    }
}

#[test]
fn the_largest_message_is_within_16_kb() {
    let days = (1..).take(MOST_DAYS).map(largest).collect();
    let request = Request {
        v: VERSION,
        device: DeviceId(Uuid::max()),
        incarnation: u32::MAX,
        session: Some("s".repeat(100)),
        ask: Ask::Statistics { days },
    };
    let signed = Signed::seal(&request, &SecretKey::from_seed([1; 32])).unwrap();
    let bytes = serde_json::to_vec(&signed).unwrap().len();
    assert!(bytes <= 16 * 1024, "{bytes}");
}

#[test]
fn counts_of_a_day_are_added_and_of_the_most_the_larger_is_kept() {
    let mut counts = Counts {
        forms_saved: 2,
        save_ms_most: 30,
        ..Counts::default()
    };
    counts.add(&Counts {
        forms_saved: 3,
        save_ms_most: 20,
        ..Counts::default()
    });
    assert_eq!((counts.forms_saved, counts.save_ms_most), (5, 30));
    counts.add(&Counts::each(u64::MAX));
    assert_eq!(counts, Counts::each(u64::MAX), "nothing wraps");
}

#[test]
fn a_count_unknown_here_and_one_missing_are_no_fault() {
    let read: Counts = serde_json::from_str(r#"{"forms_saved":3,"of_tomorrow":9}"#).unwrap();
    let alone = Counts {
        forms_saved: 3,
        ..Counts::default()
    };
    assert_eq!(read, alone);
}
