//! The hub's clock, passed in so that tests can move it. Nothing else reads
//! the machine's clock.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, SubsecRound as _, Utc};

/// The time as the hub sees it.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    started: Instant,
}

impl Clock {
    pub fn system() -> Self {
        Self::from_fn(Utc::now)
    }

    /// A clock of one's own.
    pub fn from_fn(wall: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self {
            wall: Arc::new(wall),
            started: Instant::now(),
        }
    }

    /// Now, in whole milliseconds, as the stores keep it.
    pub fn now(&self) -> DateTime<Utc> {
        (self.wall)().trunc_subsecs(3)
    }

    /// Milliseconds since this program started; never goes back.
    pub fn mono_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").finish_non_exhaustive()
    }
}
