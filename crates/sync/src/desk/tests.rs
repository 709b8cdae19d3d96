//! The rules of the machine, tried in a small world.

mod incarnations;
mod news;
mod slots;
mod world;

use proptest::prelude::*;
use suda_domain::Lane;

use self::world::{Network, World, stream};
use super::*;

#[test]
fn a_round_empties_the_lanes_and_reads_the_log() {
    let mut world = World::new();
    world.write(Lane::Ordinary, 250);
    assert!(world.is_converged());
    assert_eq!(world.sync.link(), Link::Up);
    assert_eq!(world.arrivals.len(), 250);
}

#[test]
fn the_urgent_lane_overtakes_a_backlog() {
    let mut world = World::new();
    world.store.position.written = [3, 500, 0, 0];
    world.feed(None, Input::LocalWrite, Network::Good);
    assert!(world.is_converged());
    let urgent = stream(1, Lane::Urgent);
    assert_eq!(world.arrivals[..3], [1, 2, 3].map(|n| (urgent, n)));
}

#[test]
fn nothing_hangs_when_no_answer_ever_comes() {
    let mut world = World::new();
    let step = world.sync.step(0, None, Input::Tick);
    assert!(step.command.is_some());
    let step = world.sync.step(STALL_MS, None, Input::Tick);
    assert!(step.command.is_none() && step.wake_at_ms < STALL_MS + BACKOFF_CAP_MS);
    assert_eq!(world.sync.link(), Link::Down);
    // The answer comes after all: it is nobody's now.
    let late = world
        .sync
        .step(STALL_MS + 1, Some(1), Input::Standing(Box::default()));
    assert!(late.command.is_none());
}

#[test]
fn a_waiting_handoff_is_tried_again_within_its_cap_however_long_the_outage() {
    let mut world = World::new();
    world.store.position.written = [1, 0, 0, 0];
    for _ in 0..200 {
        world.now = world.now.max(world.wake_at);
        world.feed(None, Input::Tick, Network::LosesQuestion);
        assert!(world.wake_at <= world.now + URGENT_CAP_MS);
    }
    assert!(world.heal() <= 30_000);
}

#[test]
fn a_hub_restored_from_backup_gets_again_what_it_forgot() {
    let mut world = World::new();
    world.write(Lane::Ordinary, 30);
    world.hub.insert(1, [0, 10, 0, 0]);
    world.hub_log = 10;
    world.epoch = 2;
    world.session = None;
    world.feed(None, Input::Nudge, Network::Good);
    assert!(world.is_converged());
    assert_eq!(world.stored(1)[1], 30);
}

/// Its store is older than what the hub holds, and it has written on from there.
#[test]
fn a_desk_put_back_from_a_backup_sends_what_it_wrote_since_and_goes_on_anew() {
    let mut world = World::new();
    world.write(Lane::Ordinary, 10);
    world.store.position.written = [0, 9, 0, 0];
    world.sync = DeskSync::new(43);
    world.store.position.acked = [0, 8, 0, 0];
    world.batches.clear();
    world.feed(None, Input::LocalWrite, Network::Good);
    assert_eq!(world.store.incarnation, 2, "the next number is taken");
    assert_eq!(
        world.batches,
        [(stream(1, Lane::Ordinary), 9)],
        "the ninth is not taken for delivered"
    );
    assert_eq!(
        world.store.position.earlier[0].acked,
        [0, 9, 0, 0],
        "the hub's tenth is not this desk's"
    );
}

/// The pause before it may have been drawn when nothing urgent waited.
#[test]
fn a_handoff_written_during_an_outage_is_tried_within_its_cap() {
    for times in 1..60 {
        let mut world = World::new();
        world.store.position.written = [0, 1, 0, 0];
        for _ in 0..times {
            world.now = world.now.max(world.wake_at);
            world.feed(None, Input::Tick, Network::LosesQuestion);
        }
        world.store.position.written = [1, 1, 0, 0];
        world.feed(None, Input::LocalWrite, Network::LosesQuestion);
        assert!(world.wake_at <= world.now + URGENT_CAP_MS);
    }
}

/// The failing question was asked before the handoff was written.
#[test]
fn a_handoff_written_while_a_question_stalls_is_tried_within_its_cap() {
    for times in 1..60 {
        let mut world = World::new();
        world.store.position.written = [0, 1, 0, 0];
        for _ in 0..times {
            world.now = world.now.max(world.wake_at);
            world.feed(None, Input::Tick, Network::LosesQuestion);
        }
        let now = world.wake_at;
        let asked = world.sync.step(now, None, Input::Tick).command;
        let reading = world.store.clone();
        let (number, _) = asked.unwrap();
        world
            .sync
            .step(now, Some(number), Input::Standing(Box::new(reading)))
            .command
            .unwrap();
        world.sync.step(now + 1, None, Input::LocalWrite);
        let stalled = now + HELLO_STALL_MS;
        let step = world.sync.step(stalled, None, Input::Tick);
        assert!(step.wake_at_ms <= stalled + URGENT_CAP_MS);
    }
}

#[test]
fn a_hello_without_an_answer_is_given_up_before_other_questions_are() {
    let mut world = World::new();
    let (number, _) = world.sync.step(0, None, Input::Tick).command.unwrap();
    let greeted = world
        .sync
        .step(5, Some(number), Input::Standing(Box::default()));
    assert_eq!(greeted.wake_at_ms, 5 + HELLO_STALL_MS);
    world.sync.step(5 + HELLO_STALL_MS, None, Input::Tick);
    assert_eq!(world.sync.failures(), 1);
}

/// It is looked for again before each batch of the ordinary lane.
#[test]
fn a_handoff_written_in_the_middle_of_a_backlog_goes_next() {
    let mut world = World::new();
    world.store.position.written = [0, 500, 0, 0];
    world.handoff_after = Some(2);
    world.feed(None, Input::LocalWrite, Network::Good);
    assert!(world.is_converged());
    assert_eq!(world.batches[2], (stream(1, Lane::Urgent), 1));
    assert_eq!(world.batches[3], (stream(1, Lane::Ordinary), 201));
}

#[test]
fn a_hub_that_stores_nothing_is_asked_again_after_a_pause() {
    let mut world = World::new();
    world.stores_nothing = true;
    world.write(Lane::Ordinary, 3);
    assert_eq!(world.batches.len(), 1);
    assert!(world.sync.failures() > 0 && !world.sync.is_at_rest());
    world.stores_nothing = false;
    world.heal();
}

#[derive(Clone, Debug)]
enum Happening {
    Write(bool, u64),
    Pass(u64, Network),
    HubRestart,
    Renewal,
}

fn happening() -> impl Strategy<Value = Happening> {
    let network = prop_oneof![
        Just(Network::Good),
        Just(Network::LosesQuestion),
        Just(Network::LosesAnswer)
    ];
    prop_oneof![
        (any::<bool>(), 1u64..150).prop_map(|(urgent, count)| Happening::Write(urgent, count)),
        (0u64..70_000, network).prop_map(|(time, network)| Happening::Pass(time, network)),
        Just(Happening::HubRestart),
        Just(Happening::Renewal),
    ]
}

proptest! {
    #[test]
    fn whatever_fails_everything_arrives_once_and_in_order(
        happenings in prop::collection::vec(happening(), 0..40),
    ) {
        let mut world = World::new();
        for happening in happenings {
            match happening {
                Happening::Write(urgent, count) => {
                    world.write(if urgent { Lane::Urgent } else { Lane::Ordinary }, count);
                }
                Happening::Pass(time, network) => {
                    world.now += time;
                    world.feed(None, Input::Tick, network);
                }
                Happening::HubRestart => world.session = None,
                Happening::Renewal => {
                    world.session = None;
                    world.asks_renewal = true;
                }
            }
        }
        world.heal();
        let position = &world.store.position;
        let present = (world.store.incarnation, position.written);
        let earlier = position.earlier.iter().map(|earlier| (earlier.incarnation, earlier.written));
        for (incarnation, written) in earlier.chain([present]) {
            for lane in [Lane::Urgent, Lane::Ordinary] {
                let of = stream(incarnation, lane);
                let seen: Vec<u64> =
                    world.arrivals.iter().filter(|(s, _)| *s == of).map(|(_, n)| *n).collect();
                prop_assert_eq!(seen, (1..=written[lane.index()]).collect::<Vec<_>>());
            }
        }
    }
}
