//! What people do, at the counters and at the centre.

use super::*;

impl World {
    // What people do.

    pub(super) fn operation(&mut self) {
        if self.left == 0 {
            return self.calm_down();
        }
        self.left -= 1;
        let mean = self.plan.day_ms / self.plan.operations;
        let at = self.now + self.dice.between(1, 2 * mean);
        self.queue.put(at, Ev::Operation);
        if self.dice.chance(350) {
            self.work_at_the_centre();
        } else {
            let desk = self.dice.index(self.desks.len());
            self.work_at(desk);
        }
    }

    fn mark(&mut self) -> u64 {
        self.next_mark += 1;
        self.next_mark
    }

    fn work_at_the_centre(&mut self) {
        if !self.hub_up {
            return;
        }
        let ids: Vec<ComplaintId> = self.hub.complaints.keys().copied().collect();
        // The latest are the likeliest.
        let tail = ids.len().saturating_sub(60);
        let Some(id) = ids
            .get(tail..)
            .and_then(|recent| self.dice.pick(recent))
            .copied()
        else {
            return;
        };
        let Some(complaint) = self.hub.complaints.get(&id).cloned() else {
            return;
        };
        let now = city::wall(self.now, 0);
        let fact = city::expert_step(&mut self.dice, &complaint, now);
        let expert = complaint
            .claim
            .as_ref()
            .and_then(|claim| {
                self.city
                    .experts
                    .iter()
                    .find(|one| one.staff == Some(claim.expert))
            })
            .or_else(|| self.city.experts.first())
            .cloned();
        let Some(expert) = expert else { return };
        let before = self.hub.log.len();
        let mark = self.mark();
        if self.hub.write(id, &expert, fact, mark, now) {
            self.tell(before);
        }
    }

    fn work_at(&mut self, desk: usize) {
        if self
            .desks
            .get(desk)
            .is_none_or(|node| node.machine.is_none())
        {
            return;
        }
        let crash = !self.calm && self.dice.chance(CRASHES);
        let early = crash && self.dice.chance(500);
        let kept = early
            .then(|| self.desks.get(desk).map(|node| node.disk.clone()))
            .flatten();
        let written = self.write_at(desk);
        if let (Some(kept), Some(node)) = (kept, self.desks.get_mut(desk)) {
            node.disk = kept;
        }
        let told = !crash || self.plan.plant == Some(Plant::ConfirmBeforeCommit);
        if told {
            for (mark, complaint) in written {
                let promise = Promise {
                    complaint,
                    destroyed: false,
                };
                self.promises.insert(mark, promise);
            }
        }
        if crash {
            return self.crash(desk);
        }
        self.look_soon(desk, Line::Give);
        self.news(desk);
        self.feed(desk, None, Input::LocalWrite);
    }

    fn write_at(&mut self, desk: usize) -> Vec<(u64, ComplaintId)> {
        let Some(branch) = self
            .desks
            .get(desk)
            .and_then(|node| self.city.branches.get(node.branch))
        else {
            return Vec::new();
        };
        let actor = match self.dice.below(100) {
            0 => branch.stranger.clone(),
            1..=20 => branch.manager.clone(),
            _ => branch.clerk.clone(),
        };
        let colleague = branch.clerk.clone();
        if actor.staff == branch.stranger.staff {
            self.counts.bad_records += 1;
        }
        let known: Vec<ComplaintId> = self
            .desks
            .get(desk)
            .map(|node| node.disk.states.keys().copied().collect())
            .unwrap_or_default();
        let recent = known
            .get(known.len().saturating_sub(20)..)
            .unwrap_or_default();
        let earlier = self
            .dice
            .pick(recent)
            .copied()
            .filter(|_| self.dice.chance(500));
        match earlier {
            None => self.record(desk, &actor),
            Some(id) if self.dice.chance(350) => self.hand_off(desk, &actor, id),
            Some(id) => {
                let fact = city::branch_step(&mut self.dice, &colleague);
                self.write(desk, &actor, id, Lane::Ordinary, fact)
                    .into_iter()
                    .collect()
            }
        }
    }

    fn record(&mut self, desk: usize, actor: &Actor) -> Vec<(u64, ComplaintId)> {
        let now = self.now;
        // In the order of time, as UUIDv7 are.
        let id = ComplaintId(uuid::Uuid::from_u64_pair(now, self.dice.next()));
        let Some(node) = self.desks.get_mut(desk) else {
            return Vec::new();
        };
        let wall = city::wall(now, node.skew_ms);
        let Some(reference) = node.disk.next_reference(wall) else {
            return Vec::new();
        };
        let complex = self.dice.chance(400);
        let complexity = if complex {
            Complexity::Complex
        } else {
            Complexity::Simple
        };
        let facts = [
            city::recorded(&mut self.dice, reference, wall),
            city::assessed(&mut self.dice, complexity),
        ];
        let mut written: Vec<_> = facts
            .into_iter()
            .filter_map(|fact| self.write(desk, actor, id, Lane::Ordinary, fact))
            .collect();
        if complex {
            written.extend(self.hand_off(desk, actor, id));
        }
        written
    }

    fn hand_off(&mut self, desk: usize, actor: &Actor, id: ComplaintId) -> Vec<(u64, ComplaintId)> {
        let fact = self.desks.get(desk).and_then(|node| {
            let whole = node.disk.states.get(&id)?;
            Some(city::handed_off(whole, node.disk.ordinary_n()))
        });
        fact.and_then(|fact| self.write(desk, actor, id, Lane::Urgent, fact))
            .into_iter()
            .collect()
    }

    fn write(
        &mut self,
        desk: usize,
        actor: &Actor,
        id: ComplaintId,
        lane: Lane,
        fact: Fact,
    ) -> Option<(u64, ComplaintId)> {
        let mark = self.mark();
        let node = self.desks.get_mut(desk)?;
        let moment = Moment {
            wall: city::wall(self.now, node.skew_ms),
            mark,
            actor,
        };
        let past = node.disk.past(id);
        if !node.disk.write(id, lane, fact, moment) {
            return None;
        }
        self.pasts.insert(mark, past);
        Some((mark, id))
    }
}
