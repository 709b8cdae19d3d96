//! How long to wait before the next try.

use std::time::Duration;

/// A time between nothing and `base` doubled with every try, at most `cap`:
/// with full jitter, so that many who wait for one thing do not come back
/// together (<https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>).
/// Never less than a tenth of it, so that a try is never at once.
pub fn full_jitter(base: Duration, cap: Duration, tries: u32) -> Duration {
    let doubled = base.saturating_mul(1_u32.checked_shl(tries.min(30)).unwrap_or(u32::MAX));
    doubled.min(cap).mul_f64(rand::random_range(0.1..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_cap_and_are_spread() {
        let (base, cap) = (Duration::from_secs(1), Duration::from_secs(60));
        for tries in 0..100 {
            let wait = full_jitter(base, cap, tries);
            assert!(wait <= cap && wait >= base / 10, "{tries}: {wait:?}");
        }
        let long: Vec<_> = (0..50).map(|_| full_jitter(base, cap, 40)).collect();
        assert!(long.iter().any(|wait| *wait > cap / 2));
        assert!(long.iter().any(|wait| *wait < cap / 2));
    }
}
