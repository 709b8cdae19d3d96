//! Many runs at once: seeds are independent of each other.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `work` for every item, spread over all cores; the results in the items' order.
///
/// # Errors
/// The first that `work` gives, or when it panics.
pub fn on_all_cores<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let parts = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut done = Vec::new();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = items.get(at) else {
                            return Ok(done);
                        };
                        done.push((at, work(item)?));
                    }
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| {
                let joined: anyhow::Result<Vec<(usize, R)>> = handle
                    .join()
                    .map_err(|_| anyhow::anyhow!("a run panicked"))?;
                joined
            })
            .collect::<anyhow::Result<Vec<_>>>()
    })?;
    let mut all: Vec<(usize, R)> = parts.into_iter().flatten().collect();
    all.sort_by_key(|(at, _)| *at);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}
