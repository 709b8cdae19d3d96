//! What happens next: simulated time, and events in its order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Events by time; those of the same millisecond in the order they were put in.
#[derive(Debug)]
pub struct Queue<T> {
    order: BinaryHeap<Reverse<(u64, u64)>>,
    events: HashMap<u64, T>,
    next: u64,
}

impl<T> Queue<T> {
    pub fn new() -> Self {
        Self {
            order: BinaryHeap::new(),
            events: HashMap::new(),
            next: 0,
        }
    }

    pub fn put(&mut self, at_ms: u64, event: T) {
        self.order.push(Reverse((at_ms, self.next)));
        self.events.insert(self.next, event);
        self.next += 1;
    }

    pub fn take(&mut self) -> Option<(u64, T)> {
        let Reverse((at, number)) = self.order.pop()?;
        self.events.remove(&number).map(|event| (at, event))
    }
}
