//! Turns for what desks ask, so that people do not wait behind them. When 600
//! desks come back in one second, a screen's question would otherwise stand
//! behind all of them, in the runtime's queue and in the store's.

use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

/// Questions of desks that may be at the store's readers together. Fewer than
/// either store has, so that one is free for a person.
const READING: usize = 2;

/// One after the other, in the order of asking.
#[derive(Debug)]
pub struct Turns {
    /// As many as there are processors, less one.
    working: Semaphore,
    reading: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self {
            working: Semaphore::new(processors.saturating_sub(1).max(1)),
            reading: Semaphore::new(READING),
        }
    }
}

impl Turns {
    /// Does milliseconds of pure work: reading, checking, judging, writing a
    /// message.
    pub async fn take<T>(&self, work: impl FnOnce() -> T) -> T {
        // Nobody closes it; and if, the work goes on without turns.
        let _turn = self.working.acquire().await.ok();
        work()
    }

    /// Asks the store something. What is asked must not take a turn itself, nor
    /// wait for a writer.
    pub async fn read<T>(&self, asking: impl Future<Output = T>) -> T {
        let _turn = self.reading.acquire().await.ok();
        asking.await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// With no limit, as many ask together as want to.
    #[tokio::test]
    async fn no_more_desks_ask_together_than_leave_a_reader_free() {
        const DESKS: usize = 20;
        let turns = Arc::new(Turns::default());
        let most = Arc::new(AtomicUsize::new(0));
        let asking = Arc::new(AtomicUsize::new(0));
        let mut desks = tokio::task::JoinSet::new();
        for _ in 0..DESKS {
            let (turns, most, asking) = (turns.clone(), most.clone(), asking.clone());
            desks.spawn(async move {
                let question = async {
                    let now = asking.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    asking.fetch_sub(1, Ordering::SeqCst);
                };
                turns.read(question).await;
            });
        }
        assert_eq!(desks.join_all().await.len(), DESKS);
        assert_eq!(most.load(Ordering::SeqCst), READING);
    }
}
