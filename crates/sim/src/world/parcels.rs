//! Files: somebody takes what a desk has without a receipt to the hub on a
//! stick, and the hub's words back. Files come late, twice, out of order,
//! damaged, to the wrong desk, or never.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use suda_sync::bundle::seal_events;

use super::*;
use crate::hub_disk::Way;

/// Between two files, in milliseconds.
const EVERY_MS: (u64, u64) = (120_000, 900_000);
const WALK_MS: (u64, u64) = (30_000, 2_400_000);

pub(super) enum ParcelEv {
    /// Somebody writes a file.
    Write,
    AtHub {
        file: Rc<[u8]>,
        of: usize,
        damaged: bool,
    },
    AtDesk {
        file: Rc<[u8]>,
        of: usize,
        desk: usize,
    },
}

impl ParcelEv {
    pub(super) fn name(&self) -> (&'static [u8], usize) {
        match self {
            Self::Write => (b"file", 0),
            Self::AtHub { of, .. } => (b"file at the hub", *of),
            Self::AtDesk { desk, .. } => (b"words by file", *desk),
        }
    }
}

impl World {
    pub(super) fn parcel(&mut self, event: ParcelEv) {
        match event {
            ParcelEv::Write => self.write_file(),
            ParcelEv::AtHub { file, of, damaged } => self.file_at_hub(&file, of, damaged),
            ParcelEv::AtDesk { file, of, desk } => self.words_by_file(&file, of, desk),
        }
    }

    fn walk(&mut self, event: ParcelEv) {
        let at = self.now + self.dice.between(WALK_MS.0, WALK_MS.1);
        self.queue.put(at, Ev::Parcel(event));
    }

    /// A copy cut short, or with one bit turned.
    fn damage(&mut self, file: &Rc<[u8]>) -> Rc<[u8]> {
        let mut bytes = file.to_vec();
        let at = self.dice.index(bytes.len());
        if self.dice.chance(500) {
            bytes.truncate(at);
        } else if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << self.dice.below(8);
        }
        bytes.into()
    }

    fn write_file(&mut self) {
        if self.calm {
            return;
        }
        let at = self.now + self.dice.between(EVERY_MS.0, EVERY_MS.1);
        self.queue.put(at, Ev::Parcel(ParcelEv::Write));
        let of = self.dice.index(self.desks.len());
        let seed = self.dice.next();
        let hub = self.hub.key();
        let Some(node) = self.desks.get(of) else {
            return;
        };
        let batches = node.disk.gather(&node.secret);
        if batches.is_empty() {
            return;
        }
        let Ok(file) = seal_events(&batches, &hub, &mut StdRng::seed_from_u64(seed)) else {
            return;
        };
        self.counts.files += 1;
        let file: Rc<[u8]> = file.into();
        if self.dice.chance(200) {
            return;
        }
        let times = if self.dice.chance(250) { 2 } else { 1 };
        for _ in 0..times {
            let damaged = self.dice.chance(100);
            let file = if damaged {
                self.damage(&file)
            } else {
                Rc::clone(&file)
            };
            self.walk(ParcelEv::AtHub { file, of, damaged });
        }
    }

    fn file_at_hub(&mut self, file: &Rc<[u8]>, of: usize, damaged: bool) {
        if !self.hub_up {
            let file = Rc::clone(file);
            return self.walk(ParcelEv::AtHub { file, of, damaged });
        }
        let at = Answering {
            now: city::wall(self.now, 0),
            plant: self.plan.plant,
        };
        let crash = !self.calm && self.dice.chance(CRASHES);
        let forgotten = (crash && self.dice.chance(500)).then(|| self.hub.clone());
        let before = self.hub.log.len();
        let taken = self.hub.take_parcel(file, Way::File, at);
        if let Some(forgotten) = forgotten {
            self.hub = forgotten;
        }
        if crash {
            self.hub_dies();
        }
        let Ok(judged) = taken else {
            self.counts.parcels_refused += 1;
            return;
        };
        self.damaged_taken += u64::from(damaged);
        self.heard(before);
        if crash {
            return;
        }
        self.counts.files_taken += 1;
        self.bring_back(judged.words.into(), of);
    }

    fn bring_back(&mut self, words: Rc<[u8]>, of: usize) {
        if self.dice.chance(300) {
            return;
        }
        let mut to = vec![of];
        if self.dice.chance(200) {
            to.push(of);
        }
        if self.dice.chance(200) {
            to.push(self.dice.index(self.desks.len()));
        }
        for desk in to {
            let file = if self.dice.chance(100) {
                self.damage(&words)
            } else {
                Rc::clone(&words)
            };
            self.walk(ParcelEv::AtDesk { file, of, desk });
        }
    }

    fn words_by_file(&mut self, file: &Rc<[u8]>, of: usize, desk: usize) {
        let is_running = self
            .desks
            .get(desk)
            .is_some_and(|node| node.machine.is_some());
        if !is_running {
            let file = Rc::clone(file);
            return self.walk(ParcelEv::AtDesk { file, of, desk });
        }
        let anybodys = self.plan.plant == Some(Plant::ForeignWords);
        self.take_words(desk, file, anybodys.then_some(of));
    }
}
