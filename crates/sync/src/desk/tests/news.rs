//! What spares the pull: a receipt that says the desk is level, and looks.

use super::world::{Network, World};
use super::*;

/// A first round, after which the desk is level.
fn level() -> World {
    let mut world = World::new();
    world.write(Lane::Ordinary, 1);
    assert!(world.is_converged());
    assert_eq!(world.store.position.cursor, world.hub_log);
    world.pulls = 0;
    world
}

#[test]
fn a_receipt_that_says_the_desk_is_level_spares_the_pull() {
    let mut world = level();
    world.write(Lane::Ordinary, 50);
    assert!(world.is_converged());
    assert_eq!((world.pulls, world.looks), (0, 0));
    assert_eq!(world.store.position.cursor, world.hub_log);
}

#[test]
fn what_others_wrote_meanwhile_is_pulled_behind_the_batch() {
    let mut world = level();
    world.hub_log += 3;
    world.write(Lane::Ordinary, 2);
    assert_eq!(world.pulls, 1);
    assert_eq!(world.store.position.cursor, world.hub_log);
}

/// It is written while the last batch is under way: the receipt's word holds for
/// that batch, and the handoff goes in a round of its own.
#[test]
fn a_handoff_written_meanwhile_is_not_forgotten() {
    let mut world = level();
    world.handoff_after = Some(world.batches.len() + 1);
    world.write(Lane::Ordinary, 1);
    world.feed(None, Input::LocalWrite, Network::Good);
    assert!(world.is_converged());
    assert_eq!(world.stored(1)[Lane::Urgent.index()], 1);
}

#[test]
fn who_has_nothing_to_send_looks_and_asks_for_the_signed_page_every_ten_minutes() {
    let mut world = level();
    let begin = world.now;
    while world.now < begin + LOOKS_MS - 2 * TICK_MS {
        world.now = world.wake_at;
        world.feed(None, Input::Tick, Network::Good);
    }
    assert!(world.looks >= 7 && world.pulls == 0, "{}", world.looks);
    while world.now < begin + LOOKS_MS + 2 * TICK_MS {
        world.now = world.wake_at;
        world.feed(None, Input::Tick, Network::Good);
    }
    assert_eq!(world.pulls, 1);
}

#[test]
fn news_found_by_a_look_is_pulled_in_the_same_round() {
    let mut world = level();
    world.hub_log += 1;
    world.now = world.wake_at;
    world.feed(None, Input::Tick, Network::Good);
    assert_eq!((world.looks, world.pulls), (1, 1));
    assert_eq!(world.store.position.cursor, world.hub_log);
}

#[test]
fn who_is_told_of_news_pulls_without_looking() {
    let mut world = level();
    world.hub_log += 1;
    world.feed(None, Input::Nudge, Network::Good);
    assert_eq!((world.looks, world.pulls), (0, 1));
}

#[test]
fn a_new_session_begins_with_the_signed_page() {
    let mut world = level();
    world.session = None;
    world.now = world.wake_at;
    world.feed(None, Input::Tick, Network::Good);
    assert_eq!(world.sync.link(), Link::Up);
    assert_eq!((world.looks, world.pulls), (0, 1));
}

#[test]
fn an_older_hub_is_pulled_from_as_before() {
    let mut world = World::new();
    world.is_old = true;
    world.write(Lane::Ordinary, 3);
    assert_eq!(world.pulls, 1);
    world.now = world.wake_at;
    world.feed(None, Input::Tick, Network::Good);
    assert_eq!(world.pulls, 2);
    assert_eq!(world.sync.link(), Link::Up);
}
