//! What the machine does when the hub takes its database for a copy, or holds
//! other events under its numbers.

use suda_domain::Lane;

use super::world::{Network, World, stream};
use crate::desk::Input;
use crate::message::{Earlier, Renewal};

#[test]
fn a_desk_asked_to_renew_greets_again_and_sends_the_old_incarnation_first() {
    let mut world = World::new();
    world.store.position.written = [1, 2, 0, 0];
    world.asks_renewal = true;
    world.feed(None, Input::Tick, Network::Good);
    assert_eq!(world.hellos, [Renewal::Ready, Renewal::Ready]);
    world.write(Lane::Ordinary, 1);
    assert!(world.is_converged(), "{:?}", world.sync);
    assert_eq!(
        world.batches,
        [
            (stream(1, Lane::Urgent), 1),
            (stream(1, Lane::Ordinary), 1),
            (stream(2, Lane::Ordinary), 1)
        ]
    );
    assert!(world.rekeyed.is_empty(), "nothing was forked");
}

#[test]
fn a_fork_in_the_present_incarnation_is_renewed_and_its_events_get_new_numbers() {
    let mut world = World::new();
    world.store.position.written = [0, 5, 0, 0];
    let old = stream(1, Lane::Ordinary);
    world.forked = Some((old, 3));
    world.feed(None, Input::Tick, Network::Good);
    assert!(world.is_converged(), "{:?}", world.sync);
    assert_eq!(
        world.hellos,
        [Renewal::Ready, Renewal::Wanted, Renewal::Ready],
        "wanted once, and no longer once it is granted"
    );
    let new = stream(2, Lane::Ordinary);
    assert_eq!(world.batches, [(old, 1), (old, 3), (new, 1)]);
    assert_eq!(world.rekeyed, [(old, 3)]);
    assert_eq!(
        world.arrivals,
        [(old, 1), (old, 2), (new, 1), (new, 2), (new, 3)]
    );
}

#[test]
fn renewal_stays_wanted_until_it_is_granted() {
    let mut world = World::new();
    world.store.position.written = [0, 2, 0, 0];
    world.forked = Some((stream(1, Lane::Ordinary), 1));
    world.refuses_renewals = 3;
    world.feed(None, Input::Tick, Network::Good);
    world.heal();
    let wanted = world.hellos.iter().filter(|h| **h == Renewal::Wanted);
    assert_eq!(wanted.count(), 4);
    assert_eq!(world.stored(2), [0, 2, 0, 0]);
}

#[test]
fn urgent_lanes_go_before_ordinary_ones_and_earlier_incarnations_before_later() {
    let mut world = World::new();
    world.store.incarnation = 3;
    world.store.position.written = [1, 2, 0, 0];
    world.store.position.earlier = vec![
        Earlier {
            incarnation: 1,
            written: [2, 3, 0, 0],
            acked: [0; 4],
        },
        Earlier {
            incarnation: 2,
            written: [1, 1, 0, 0],
            acked: [0; 4],
        },
    ];
    world.feed(None, Input::Tick, Network::Good);
    assert!(world.is_converged(), "{:?}", world.sync);
    let lanes = [Lane::Urgent, Lane::Ordinary];
    let expected: Vec<_> = lanes
        .into_iter()
        .flat_map(|lane| (1..=3).map(move |incarnation| (stream(incarnation, lane), 1)))
        .collect();
    assert_eq!(world.batches, expected);
}

#[test]
fn an_earlier_incarnation_that_is_received_is_not_sent_again() {
    let mut world = World::new();
    world.store.incarnation = 2;
    world.store.position.earlier = vec![Earlier {
        incarnation: 1,
        written: [1, 4, 0, 0],
        acked: [1, 4, 0, 0],
    }];
    world.hub.insert(1, [1, 4, 0, 0]);
    world.write(Lane::Ordinary, 1);
    assert!(world.is_converged(), "{:?}", world.sync);
    assert_eq!(world.batches, [(stream(2, Lane::Ordinary), 1)]);
}
