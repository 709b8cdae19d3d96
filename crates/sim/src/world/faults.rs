//! What goes wrong: cuts, crashes, clocks, copies, roll-backs, a hub put back.

use super::*;

impl World {
    // What goes wrong.

    pub(super) fn fault(&mut self) {
        if self.calm {
            return;
        }
        let at = self.now + self.dice.between(1_000, 60_000);
        self.queue.put(at, Ev::Fault);
        let desk = self.dice.index(self.desks.len());
        match self.dice.below(100) {
            0..=29 => self.relink(desk, Link::Down),
            30..=39 => self.relink(desk, Link::OneWay),
            40..=73 => self.relink(desk, Link::Good),
            74..=79 => self.relink_in_branch(desk),
            80..=85 => self.crash(desk),
            86..=90 => {
                let skew = skew(&mut self.dice);
                if let Some(node) = self.desks.get_mut(desk) {
                    node.skew_ms = skew;
                }
            }
            91 | 92 => {
                if let Some(node) = self.desks.get_mut(desk) {
                    node.backup = Some(node.disk.clone());
                }
            }
            93 if self.plan.disasters => self.roll_back(desk),
            94 if self.plan.disasters => self.copy(desk),
            95 => self.hub_backup = Some(self.hub.clone()),
            96 if self.plan.disasters => self.put_hub_back(),
            _ => {
                // A whole branch is cut off.
                let branch = self.desks.get(desk).map(|node| node.branch);
                for node in self
                    .desks
                    .iter_mut()
                    .filter(|node| Some(node.branch) == branch)
                {
                    node.link = Link::Down;
                }
            }
        }
    }

    fn relink(&mut self, desk: usize, link: Link) {
        if let Some(node) = self.desks.get_mut(desk) {
            node.link = link;
        }
    }

    fn relink_in_branch(&mut self, desk: usize) {
        let link = match self.dice.below(10) {
            0..=2 => Link::Down,
            3 => Link::OneWay,
            _ => Link::Good,
        };
        let whole = self.dice.chance(300);
        let branch = self.desks.get(desk).map(|node| node.branch);
        for (at, node) in self.desks.iter_mut().enumerate() {
            if at == desk || (whole && Some(node.branch) == branch) {
                node.lan = link;
            }
        }
    }

    fn roll_back(&mut self, desk: usize) {
        let Some(node) = self.desks.get_mut(desk) else {
            return;
        };
        let Some(backup) = node.backup.take() else {
            return;
        };
        self.counts.rollbacks += 1;
        node.disk = backup;
        node.rolled_back = true;
        if node.disk.epoch() != Some(&self.hub.epoch) {
            // The backup is older than the hub as it is, which cannot judge it.
            self.not_to_be_found(desk);
        }
        self.kept.retain(|kept| kept.mailbox != desk);
        self.count_destroyed();
        self.crash(desk);
    }

    fn copy(&mut self, desk: usize) {
        let skew = skew(&mut self.dice);
        let Some(node) = self.desks.get(desk) else {
            return;
        };
        if self.counts.copies >= 2 {
            return;
        }
        self.counts.copies += 1;
        // A hub put back from a backup judges nobody who has not spoken to it since.
        let is_judged = node.disk.epoch() == Some(&self.hub.epoch);
        let identity = (node.secret.clone(), node.part);
        let copy = DeskNode::new(node.branch, node.disk.clone(), skew, identity);
        self.desks.push(copy);
        let copied = self.desks.len() - 1;
        let pair = clones::Pair::new([desk, copied], is_judged);
        self.pairs.push(pair);
        self.start(copied);
    }

    fn put_hub_back(&mut self) {
        let Some(backup) = self.hub_backup.take() else {
            return;
        };
        self.counts.hub_restores += 1;
        self.clones_unjudged();
        self.hub_boots += 1;
        self.kept.clear();
        self.hub = backup;
        self.hub
            .put_back(self.hub_boots.to_string(), self.hub_boots, self.plan.plant);
        self.count_destroyed();
    }

    /// What is now nowhere but in files that are gone is not the sync's to keep. A
    /// mailbox still brings what it keeps of a desk that was rolled back; but where
    /// the desk has written other events under the same numbers since, the hub
    /// takes those that come first.
    fn count_destroyed(&mut self) {
        let mut alive: std::collections::HashSet<u64> =
            crate::check::marks_at_hub(&self.hub).into_keys().collect();
        for node in &self.desks {
            let own = node.disk.events.iter().filter(|kept| kept.own);
            alive.extend(own.map(|kept| kept.event.at.mono_ms));
        }
        for (mark, promise) in &mut self.promises {
            if !alive.contains(mark) {
                promise.destroyed = true;
            }
        }
    }

    pub(super) fn calm_down(&mut self) {
        self.calm = true;
        self.hub_up = true;
        for desk in 0..self.desks.len() {
            self.relink(desk, Link::Good);
            if let Some(node) = self.desks.get_mut(desk) {
                node.lan = Link::Good;
            }
            if self
                .desks
                .get(desk)
                .is_some_and(|node| node.machine.is_none())
            {
                self.start(desk);
            }
        }
        self.cut_branches();
    }
}
