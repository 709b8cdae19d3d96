//! The machine against a small world: a desk's lanes and a hub that may lose
//! questions, lose answers after storing, restart, or be restored.

use chrono::DateTime;
use proptest::prelude::*;
use suda_domain::DeviceId;
use uuid::Uuid;

use super::*;
use crate::chain::Hash;
use crate::message::Verdict;

struct World {
    sync: DeskSync,
    now: u64,
    written: [u64; 4],
    saved_cursor: u64,
    hub: [u64; 4],
    hub_log: u64,
    epoch: u32,
    session: Option<String>,
    /// Events the hub stored in the order of arrival.
    arrivals: Vec<(Lane, u64)>,
    /// The batches it was sent, by their first numbers.
    batches: Vec<(Lane, u64)>,
    /// Pauses between rounds.
    wake_at: u64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Network {
    Good,
    LosesQuestion,
    LosesAnswer,
}

impl World {
    fn new() -> Self {
        Self {
            sync: DeskSync::new(42),
            now: 0,
            written: [0; 4],
            saved_cursor: 0,
            hub: [0; 4],
            hub_log: 0,
            epoch: 1,
            session: None,
            arrivals: Vec::new(),
            batches: Vec::new(),
            wake_at: 0,
        }
    }

    fn write(&mut self, lane: Lane, count: u64) {
        self.written[lane.index()] += count;
        self.feed(None, Input::LocalWrite, Network::Good);
    }

    fn event() -> SealedEvent {
        SealedEvent::from_parts("1".into(), Hash::START, Hash::START).unwrap()
    }

    fn feed(&mut self, number: Option<u64>, input: Input, network: Network) {
        let mut next = Some((number, input));
        while let Some((number, input)) = next.take() {
            let step = self.sync.step(self.now, number, input);
            self.wake_at = step.wake_at_ms;
            if let Some((number, command)) = step.command {
                self.now += 1;
                next = Some((Some(number), self.perform(command, network)));
            }
        }
    }

    fn perform(&mut self, command: Command, network: Network) -> Input {
        match command {
            Command::ReadPosition => Input::Position(Position {
                written: self.written,
                acked: self.sync.position.acked,
                cursor: self.saved_cursor,
                epoch: self.sync.position.epoch.clone(),
                ..Position::default()
            }),
            Command::Load {
                lane,
                after,
                max_events,
                ..
            } => {
                let left = self.written[lane.index()].saturating_sub(after) as usize;
                Input::Loaded(vec![Self::event(); left.min(max_events)])
            }
            Command::Send { session, ask } => match network {
                Network::LosesQuestion => Input::SendFailed,
                Network::Good => Input::Reply(Box::new(self.answer(session, ask))),
                Network::LosesAnswer => {
                    self.answer(session, ask);
                    Input::SendFailed
                }
            },
            Command::SaveWelcome { cursor, .. } => {
                self.saved_cursor = cursor;
                Input::Saved
            }
            Command::SaveReceipt(_) => Input::Saved,
            Command::SavePage(page) => {
                self.saved_cursor = page.cursor;
                Input::Saved
            }
        }
    }

    fn answer(&mut self, session: Option<String>, ask: Ask) -> Reply {
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let epoch = format!("e{}", self.epoch);
        if !matches!(ask, Ask::Hello(_)) && (session.is_none() || session != self.session) {
            return Reply::Refused(Refused::SessionExpired);
        }
        match ask {
            Ask::Hello(_) => {
                self.session = Some(format!("s{}", self.now));
                Reply::Welcome(Welcome {
                    session: self.session.clone().unwrap(),
                    epoch,
                    watermarks: self.hub,
                    now,
                })
            }
            Ask::Batch {
                lane,
                first_n,
                events,
            } => {
                self.batches.push((lane, first_n));
                let head = &mut self.hub[lane.index()];
                let mut verdicts = Vec::new();
                for n in (first_n..).take(events.len()) {
                    verdicts.push(if n <= *head {
                        Verdict::Duplicate
                    } else if n == *head + 1 {
                        *head = n;
                        self.hub_log += 1;
                        self.arrivals.push((lane, n));
                        Verdict::Applied
                    } else {
                        Verdict::Held
                    });
                }
                Reply::Receipt(Receipt {
                    device: DeviceId(Uuid::nil()),
                    incarnation: 1,
                    epoch,
                    watermarks: self.hub,
                    lane,
                    first_n,
                    verdicts,
                    at: now,
                })
            }
            Ask::Pull { cursor, limit, .. } => {
                let cursor = (cursor + u64::from(limit)).min(self.hub_log);
                Reply::Page(Page {
                    epoch,
                    entries: Vec::new(),
                    cursor,
                    more: cursor < self.hub_log,
                    set_aside: None,
                    directory: None,
                    now,
                })
            }
            Ask::Watch { .. } => Reply::Changed { changed: false },
        }
    }

    fn is_converged(&self) -> bool {
        self.sync.is_at_rest() && self.hub == self.written && self.saved_cursor == self.hub_log
    }

    /// Lets time pass on a good network and returns the milliseconds it took.
    fn heal(&mut self) -> u64 {
        let from = self.now;
        while !self.is_converged() {
            self.now = self.now.max(self.wake_at);
            self.feed(None, Input::Tick, Network::Good);
            assert!(
                self.now < from + 10 * TICK_MS,
                "does not converge: {:?}",
                self.sync
            );
        }
        self.now - from
    }
}

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
    world.written = [3, 500, 0, 0];
    world.feed(None, Input::LocalWrite, Network::Good);
    assert!(world.is_converged());
    assert_eq!(world.arrivals[..3], [1, 2, 3].map(|n| (Lane::Urgent, n)));
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
        .step(STALL_MS + 1, Some(1), Input::Position(Position::default()));
    assert!(late.command.is_none());
}

#[test]
fn a_waiting_handoff_is_tried_again_within_its_cap_however_long_the_outage() {
    let mut world = World::new();
    world.written = [1, 0, 0, 0];
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
    world.hub = [0, 10, 0, 0];
    world.hub_log = 10;
    world.epoch = 2;
    world.session = None;
    world.feed(None, Input::Nudge, Network::Good);
    assert!(world.is_converged());
    assert_eq!(world.hub[1], 30);
}

/// Its store is older than what the hub holds, and it has written on from there.
#[test]
fn a_desk_put_back_from_a_backup_sends_what_it_wrote_since() {
    let mut world = World::new();
    world.write(Lane::Ordinary, 10);
    world.written = [0, 9, 0, 0];
    world.sync = DeskSync::new(43);
    world.sync.position.acked = [0, 8, 0, 0];
    world.batches.clear();
    world.feed(None, Input::LocalWrite, Network::Good);
    assert_eq!(
        world.batches,
        [(Lane::Ordinary, 9)],
        "the ninth is not taken for delivered"
    );
    assert_eq!(
        world.sync.position.acked,
        [0, 9, 0, 0],
        "the hub's tenth is not this desk's"
    );
}

#[derive(Clone, Debug)]
enum Happening {
    Write(bool, u64),
    Pass(u64, Network),
    HubRestart,
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
            }
        }
        world.heal();
        for lane in [Lane::Urgent, Lane::Ordinary] {
            let seen: Vec<u64> =
                world.arrivals.iter().filter(|(l, _)| *l == lane).map(|(_, n)| *n).collect();
            prop_assert_eq!(seen, (1..=world.written[lane.index()]).collect::<Vec<_>>());
        }
    }
}
