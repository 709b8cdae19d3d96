//! An overloaded hub: what it asks for is kept, and it can ask for too much.

use proptest::prelude::*;
use suda_domain::Lane;

use super::world::{Network, World, stream};
use crate::desk::{Input, TICK_MS};
use crate::hub::allowance::MOST_SLOT_MS;
use crate::message::{Allowance, BATCH_EVENTS};

const AT_EASE: Allowance = Allowance {
    events: BATCH_EVENTS as u32,
    bytes: 64 * 1024,
    slot_ms: 0,
};

fn told(allowance: Allowance) -> World {
    let mut world = World::new();
    world.allowance = Some(allowance);
    world
}

#[test]
fn until_its_slot_a_desk_sends_handoffs_alone() {
    let mut world = told(Allowance {
        slot_ms: 20_000,
        ..AT_EASE
    });
    world.store.position.written = [0, 150, 0, 0];
    world.feed(None, Input::LocalWrite, Network::Good);
    assert_eq!(world.batches, [], "the welcome gave a slot");
    assert!(!world.sync.is_at_rest(), "something waits for its slot");
    let slot = world.wake_at;
    assert!((20_000..20_100).contains(&slot), "{slot}");

    world.write(Lane::Urgent, 1);
    assert_eq!(world.batches, [(stream(1, Lane::Urgent), 1)]);

    // The packet's receipt said anew how long to wait.
    world.now = world.wake_at;
    world.allowance = Some(AT_EASE);
    world.feed(None, Input::Tick, Network::Good);
    assert!(world.is_converged());
    assert_eq!(world.wake_at, world.now + TICK_MS);
}

#[test]
fn lanes_nobody_waits_for_keep_the_slot_too() {
    let mut world = told(Allowance {
        slot_ms: 20_000,
        ..AT_EASE
    });
    world.feed(None, Input::LocalWrite, Network::Good);
    assert!(world.sync.is_at_rest(), "there is nothing else to send");
    assert!(!world.sync.is_free(world.now));
    assert!(world.sync.is_free(world.now + 20_000));
}

#[test]
fn a_receipt_can_give_the_slot_of_the_next_batch() {
    let mut world = told(AT_EASE);
    world.write(Lane::Ordinary, 1);
    world.allowance = Some(Allowance {
        slot_ms: 5_000,
        ..AT_EASE
    });
    world.write(Lane::Ordinary, 250);
    assert_eq!(world.sizes, [1, BATCH_EVENTS]);
    let slot = world.wake_at;
    world.now = slot;
    world.feed(None, Input::Tick, Network::Good);
    assert_eq!(world.sizes, [1, BATCH_EVENTS, BATCH_EVENTS]);
}

#[test]
fn no_more_is_under_way_than_the_credit() {
    let mut world = told(Allowance {
        events: 30,
        ..AT_EASE
    });
    world.store.position.written = [40, 70, 0, 0];
    world.feed(None, Input::LocalWrite, Network::Good);
    assert!(world.is_converged());
    assert_eq!(
        world.sizes,
        [40, 30, 30, 10],
        "urgent packets need no credit"
    );
}

#[test]
fn a_hub_that_asks_for_the_impossible_is_not_believed() {
    let mut world = told(Allowance {
        events: 0,
        bytes: 0,
        slot_ms: u64::MAX,
    });
    world.write(Lane::Ordinary, 3);
    assert!(world.wake_at <= world.now + MOST_SLOT_MS);
    for _ in 0..3 {
        world.now = world.wake_at;
        world.feed(None, Input::Tick, Network::Good);
    }
    assert_eq!(world.sizes, [1, 1, 1], "one at a time, but it goes on");
    assert!(world.is_converged());
}

proptest! {
    /// Whatever slots are given, in whatever order things are written and
    /// answers lost: no ordinary batch goes out before its slot, and every
    /// queue is empty in the end.
    #[test]
    fn slots_are_kept_and_nothing_is_left_behind(
        steps in prop::collection::vec((0_u64..4, 0_u64..30_000, 0_u64..60_000, any::<bool>()), 1..40),
    ) {
        let mut world = told(AT_EASE);
        let mut free_ms = 0;
        for (lane, pause, slot_ms, loses) in steps {
            world.now = (world.now + pause).max(if lane == 3 { world.wake_at } else { 0 });
            let before = world.batches.len();
            let hellos = world.hellos.len();
            let began = world.now;
            let network = if loses { Network::LosesAnswer } else { Network::Good };
            match lane {
                0 => world.store.position.written[0] += 1,
                1 | 2 => world.store.position.written[1] += 120,
                _ => {}
            }
            world.allowance = Some(Allowance { slot_ms, ..AT_EASE });
            let input = if lane == 3 { Input::Tick } else { Input::LocalWrite };
            world.feed(None, input, network);
            let ordinary = world.batches[before..].iter();
            let ordinary = ordinary.filter(|(of, _)| of.lane == Lane::Ordinary).count();
            if began < free_ms && world.hellos.len() == hellos {
                prop_assert_eq!(ordinary, 0, "a slot was not kept");
            }
            let is_told = !loses && (world.batches.len() > before || world.hellos.len() > hellos);
            if is_told {
                // The clock runs a little while the desk works.
                free_ms = (began + slot_ms).saturating_sub(1);
            } else if loses {
                free_ms = 0;
            }
        }
        world.allowance = Some(AT_EASE);
        prop_assert!(world.heal() <= 2 * MOST_SLOT_MS + TICK_MS);
    }
}
