#![allow(clippy::unwrap_used)]

use chrono::DateTime;
use proptest::prelude::*;
use suda_domain::{ComplaintId, DeviceId, EvidenceId};
use uuid::Uuid;

use super::*;

fn name() -> FileName {
    FileName {
        complaint: ComplaintId(Uuid::from_u128(1)),
        file: EvidenceId(Uuid::from_u128(2)),
    }
}

/// A hub's memory of one file, driven as the real one is.
#[derive(Default)]
struct Hub {
    stored: Vec<u8>,
    complete: bool,
    completed: u32,
}

impl Hub {
    /// Takes what came of a slice: all of it, or less when the line broke.
    fn take(&mut self, file: &[u8], slice: Slice, came: &[u8]) {
        if self.complete || slice.offset != self.stored.len() as u64 {
            return;
        }
        self.stored.extend_from_slice(came);
        let border = border(self.stored.len() as u64, file.len() as u64);
        let fits = match border {
            Border::None => true,
            Border::Chunk { from } | Border::File { from } => {
                let end = (from + CHUNK).min(file.len() as u64);
                let chunk = &file[from as usize..end as usize];
                sha256(&self.stored[from as usize..]) == sha256(chunk)
            }
        };
        match border.judge(fits, || sha256(&self.stored) == sha256(file)) {
            After::Keep => {}
            After::CutBack(to) => self.stored.truncate(to as usize),
            After::Complete => {
                self.complete = true;
                self.completed += 1;
            }
        }
    }

    fn standings(&self) -> Standings {
        Standings {
            device: DeviceId(Uuid::nil()),
            epoch: "e".into(),
            files: vec![Standing {
                complete: self.complete,
                ..Standing::partial(name(), self.stored.len() as u64)
            }],
            at: DateTime::UNIX_EPOCH,
        }
    }
}

/// What befalls a slice on its way.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives,
    /// The line breaks after this share (of 255) of the bytes; the rest and
    /// the answer are lost.
    Breaks(u8),
    /// It arrives and its answer is lost.
    Unanswered,
    /// The line breaks, and what came was altered on the way.
    AlteredAndBreaks(u8),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Arrives),
        2 => any::<u8>().prop_map(Fate::Breaks),
        1 => Just(Fate::Unanswered),
        1 => any::<u8>().prop_map(Fate::AlteredAndBreaks),
    ]
}

fn share(bytes: &[u8], of_255: u8) -> &[u8] {
    &bytes[..bytes.len() * usize::from(of_255) / 256]
}

/// Runs a desk's machine against the hub until it rests with nothing waiting.
/// Gives how many bytes went out.
fn run(file: &[u8], fates: &[Fate], hub: &mut Hub) -> u64 {
    let (mut sender, mut now, mut sent) = (Sender::new(7), 0, 0);
    let mut fates = fates.iter().copied();
    let mut input = Input::Tick;
    for _ in 0..10_000 {
        let step = sender.step(now, input);
        now += 10;
        input = match step.command {
            None if hub.complete && sender.is_resting() => return sent,
            None => {
                now = now.max(step.wake_at_ms);
                Input::Tick
            }
            Some(Command::Read) if hub.complete => Input::Files(Vec::new()),
            Some(Command::Read) => Input::Files(vec![Waiting {
                name: name(),
                bytes: file.len() as u64,
            }]),
            Some(Command::Ask(_)) => Input::Standings(hub.standings()),
            Some(Command::Save(_)) => Input::Saved,
            Some(Command::Send(slice)) => {
                let from = slice.offset as usize;
                let bytes = &file[from..from + slice.bytes as usize];
                assert!(slice.bytes <= MOST_SLICE);
                assert_eq!(
                    slice.offset / CHUNK,
                    (slice.offset + slice.bytes - 1) / CHUNK
                );
                sent += slice.bytes;
                match fates.next().unwrap_or(Fate::Arrives) {
                    Fate::Arrives => {
                        hub.take(file, slice, bytes);
                        Input::Standings(hub.standings())
                    }
                    Fate::Breaks(at) => {
                        hub.take(file, slice, share(bytes, at));
                        Input::Failed
                    }
                    Fate::Unanswered => {
                        hub.take(file, slice, bytes);
                        Input::Cut
                    }
                    Fate::AlteredAndBreaks(at) => {
                        let altered: Vec<u8> = share(bytes, at).iter().map(|b| b ^ 1).collect();
                        hub.take(file, slice, &altered);
                        Input::Failed
                    }
                }
            }
        };
    }
    panic!("not complete after 10,000 steps")
}

fn contents(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n * 31 % 251) as u8).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Wherever it is cut, it goes on at the byte and ends whole, once.
    #[test]
    fn any_interleaving_of_cuts_ends_with_the_whole_file_once(
        bytes in 1usize..(CHUNK as usize * 3),
        fates in prop::collection::vec(fate(), 0..60),
    ) {
        let file = contents(bytes);
        let mut hub = Hub::default();
        run(&file, &fates, &mut hub);
        prop_assert!(hub.complete);
        prop_assert_eq!(hub.completed, 1);
        prop_assert!(hub.stored == file);
    }
}

/// Without altered bytes nothing the hub has is ever sent again: what goes
/// out is the file and what the breaks lost of their slices.
#[test]
fn after_a_break_it_goes_on_at_the_byte() {
    let file = contents(CHUNK as usize * 2 + 5);
    let fates = [
        Fate::Breaks(100),
        Fate::Arrives,
        Fate::Breaks(200),
        Fate::Breaks(0),
    ];
    let mut hub = Hub::default();
    let sent = run(&file, &fates, &mut hub);
    let lost = sent - file.len() as u64;
    // Three breaks of slices of 16 KB (a break halves the pace, and the next
    // doubles it again): 155, 55 and 256 parts of 256.
    assert!(lost <= 3 * 32 * 1024, "{lost}");
    assert!(hub.complete && hub.stored == file);
}

/// A link of 256 kbit/s that sends what it is given in order, and loses
/// nothing. Gives how long a handoff of 8 KB takes that is written while
/// evidence goes out, in the worst of 2,000 moments.
fn worst_wait_ms(slice_of: impl Fn(&mut Sender, u64) -> u64) -> u64 {
    const BYTES_PER_S: u64 = 32 * 1024;
    const DELAY_MS: u64 = 40;
    const HANDOFF: u64 = 8 * 1024;
    let takes = |bytes: u64| bytes * 1_000 / BYTES_PER_S;
    let mut worst = 0;
    for moment in 0..2_000u64 {
        let mut sender = Sender::new(moment | 1);
        // A link that was fast until this moment's slice.
        let mut now = 0;
        let mut bytes = slice_of(&mut sender, now);
        let written_at = moment * 7;
        loop {
            let ends = now + takes(bytes) + DELAY_MS;
            if written_at < ends {
                // What the line was given it sends before the handoff.
                let free_at = (now + takes(bytes)).max(written_at);
                worst = worst.max(free_at + takes(HANDOFF) + 2 * DELAY_MS - written_at);
                break;
            }
            now = ends + DELAY_MS;
            bytes = slice_of(&mut sender, now);
        }
    }
    worst
}

/// The slice the machine sends at this time; whatever went before was answered.
fn next_slice(sender: &mut Sender, now: u64) -> u64 {
    let mut received = 0;
    let mut input = match sender.is_resting() {
        true => Input::Tick,
        false => Input::Standings(partial(CHUNK * 100 + now)),
    };
    loop {
        input = match sender.step(now, input).command {
            Some(Command::Read) => Input::Files(vec![Waiting {
                name: name(),
                bytes: u64::from(u32::MAX),
            }]),
            Some(Command::Ask(_)) => Input::Standings(partial(received)),
            Some(Command::Save(_)) => Input::Saved,
            Some(Command::Send(slice)) => return slice.bytes,
            None => {
                received += 1;
                Input::Tick
            }
        };
    }
}

fn partial(received: u64) -> Standings {
    let hub = Hub::default();
    let mut standings = hub.standings();
    standings.files[0].received = received - received % CHUNK;
    standings
}

#[test]
fn a_handoff_waits_two_seconds_at_most_behind_evidence_on_a_slow_link() {
    let paced = worst_wait_ms(next_slice);
    assert!(paced <= 2_000, "{paced} ms");
    let largest = worst_wait_ms(|_, _| MOST_SLICE);
    assert!(
        largest <= 2_000,
        "{largest} ms when the link has just become slow"
    );
    let whole_chunks = worst_wait_ms(|_, _| CHUNK);
    assert!(whole_chunks > 2_000, "the control: {whole_chunks} ms");
}

fn reads(sender: &mut Sender, now: u64) -> bool {
    sender.step(now, Input::Tick).command == Some(Command::Read)
}

#[test]
fn a_hub_that_does_not_know_lane_2_is_left_alone_and_asked_again_later() {
    let mut sender = Sender::new(1);
    assert!(reads(&mut sender, 0));
    let step = sender.step(0, Input::OldHub);
    assert!(sender.met_old_hub() && step.command.is_none());
    assert!(!reads(&mut sender, 60_000), "no loop of errors");
    assert!(sender.step(60_000, Input::News).command.is_none());
    assert!(reads(&mut sender, step.wake_at_ms));
}

#[test]
fn a_file_whose_whole_never_fits_is_given_up_instead_of_sent_for_ever() {
    let mut sender = Sender::new(1);
    let (mut now, mut sends) = (0, 0);
    let mut input = Input::Tick;
    let mut received = 0;
    for _ in 0..200 {
        let step = sender.step(now, input);
        now += 1;
        input = match step.command {
            Some(Command::Read) => Input::Files(vec![Waiting {
                name: name(),
                bytes: 10,
            }]),
            Some(Command::Ask(_)) => Input::Standings(partial_of(received)),
            Some(Command::Save(_)) => Input::Saved,
            Some(Command::Send(_)) => {
                sends += 1;
                // Half comes, then the whole proves wrong, again and again.
                received = if received == 0 { 5 } else { 0 };
                let mut standings = partial_of(received);
                standings.files[0].unlike = received == 0;
                Input::Standings(standings)
            }
            None => {
                now = step.wake_at_ms;
                Input::Tick
            }
        };
    }
    assert_eq!(sends, 6, "three times from the beginning");
}

fn partial_of(received: u64) -> Standings {
    let mut standings = Hub::default().standings();
    standings.files[0].received = received;
    standings
}
