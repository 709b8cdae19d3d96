//! The thread that writes the journal: it flushes its file while the database
//! flushes its own, so that both together take little longer than one.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::entry::{Entry, Reached};
use super::files::{Current, SIZE};
use crate::key::DatabaseKey;

/// What is to be written.
pub(super) struct Order {
    pub(super) entries: Vec<Entry>,
    /// Begins a new file, should one be needed.
    pub(super) reached: Reached,
    /// Begin a new file in any case.
    pub(super) fresh_file: bool,
    pub(super) done: oneshot::Sender<io::Result<Written>>,
}

/// Where it was written.
pub(super) struct Written {
    pub(super) path: PathBuf,
    /// How much of that file is used.
    pub(super) place: u64,
}

/// The thread. Dropped, it ends after what it has been told.
pub(super) struct Writer {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(dir: PathBuf, key: DatabaseKey) -> io::Result<Self> {
        let (orders, told) = channel();
        let desk = Scribe {
            dir,
            key,
            current: None,
            spare: None,
        };
        let thread = std::thread::Builder::new()
            .name("suda-journal".to_owned())
            .spawn(move || desk.work(&told))?;
        Ok(Self {
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    pub(super) fn tell(&self, order: Order) {
        // Should the thread have ended, the answer's end is dropped with the
        // order, and whoever waits for it hears of that.
        if let Some(orders) = &self.orders {
            orders.send(order).ok();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

struct Scribe {
    dir: PathBuf,
    key: DatabaseKey,
    current: Option<Current>,
    /// The next file, made ahead.
    spare: Option<Current>,
}

impl Scribe {
    fn work(mut self, told: &Receiver<Order>) {
        while let Ok(order) = told.recv() {
            let written = self.carry_out(&order);
            if written.is_err() {
                self.current = None;
            }
            // Whoever asked may have gone; it is written all the same.
            order.done.send(written).ok();
            self.prepare();
        }
        if let Some(spare) = self.spare {
            std::fs::remove_file(spare.path).ok();
        }
    }

    fn carry_out(&mut self, order: &Order) -> io::Result<Written> {
        let texts: Vec<Vec<u8>> = order
            .entries
            .iter()
            .map(serde_json::to_vec)
            .collect::<Result<_, _>>()?;
        if let Some(current) = &mut self.current
            && !order.fresh_file
        {
            let records = current.records(&texts)?;
            if current.place() + records.len() as u64 <= SIZE {
                current.append(&records)?;
                return Ok(Written {
                    path: current.path.clone(),
                    place: current.place(),
                });
            }
        }
        let mut current = match self.spare.take() {
            Some(spare) => spare,
            None => Current::create(&self.dir, &self.key)?,
        };
        let first = serde_json::to_vec(&Entry::Reached(order.reached))?;
        let records = current.records(&[vec![first], texts].concat())?;
        current.append(&records)?;
        let written = Written {
            path: current.path.clone(),
            place: current.place(),
        };
        self.current = Some(current);
        Ok(written)
    }

    /// Makes the next file when this one is half full, so that no save waits for it.
    fn prepare(&mut self) {
        let half_full = self.current.as_ref().is_some_and(|c| c.place() > SIZE / 2);
        if half_full && self.spare.is_none() {
            self.spare = Current::create(&self.dir, &self.key).ok();
        }
    }
}
