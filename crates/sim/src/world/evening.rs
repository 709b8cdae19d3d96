//! The end of the day in branches with a mailbox, in two steps before everything
//! works again. First the WAN is away and the LAN is not: the branch has to come
//! to one backlog. Then the mailbox alone reaches the hub: it has to bring what
//! the whole branch has.

use super::*;

/// Simulated time each step may take.
const PATIENCE_MS: u64 = 5 * 60_000;
/// Between two looks whether it is reached.
const EVERY_STEPS: u64 = 64;

impl World {
    pub(super) fn has_mailbox(&self) -> bool {
        self.plan.mailboxes > 0
    }

    pub(super) fn evening(&mut self) {
        let reached = self.until(|world| crate::check::branch::apart_in_branch(world).is_none());
        if !reached {
            self.branch_apart = crate::check::branch::apart_in_branch(self);
        }
        for node in &mut self.desks {
            if node.part == Part::Mailbox {
                node.link = Link::Good;
            }
        }
        let reached = self.until(|world| crate::check::branch::not_forwarded(world).is_none());
        if !reached {
            self.not_forwarded = crate::check::branch::not_forwarded(self);
        }
        for node in &mut self.desks {
            node.link = Link::Good;
        }
    }

    fn until(&mut self, reached: impl Fn(&Self) -> bool) -> bool {
        let from = self.now;
        while self.now < from + PATIENCE_MS {
            let is_time = self.counts.steps.is_multiple_of(EVERY_STEPS);
            if is_time && reached(self) {
                return true;
            }
            if !self.turn() {
                return reached(self);
            }
        }
        reached(self)
    }

    /// Nothing goes wrong any more but that branches with a mailbox have no WAN.
    pub(super) fn cut_branches(&mut self) {
        for node in &mut self.desks {
            if node.part != Part::Alone {
                node.link = Link::Down;
            }
        }
    }
}
