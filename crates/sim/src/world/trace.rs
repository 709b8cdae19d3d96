//! A hash over a run, to see that a seed replays it: everything that happened, what
//! the messages carried, and what every place has in the end.

use super::*;
use crate::states::States;

impl World {
    /// A hash over everything that happened and over what every place has in the
    /// end, to see that a seed replays it.
    pub fn trace(&self) -> String {
        let mut trace = self.trace.clone();
        for node in &self.desks {
            for kept in &node.disk.events {
                trace.update(kept.sealed.hash.0);
                trace.update(format!("{:?}", kept.place));
            }
            trace.update(format!("{:?}", node.disk.standing()));
            note_states(&mut trace, &node.disk.states);
        }
        for line in &self.hub.log {
            trace.update(line.sealed.hash.0);
        }
        for aside in &self.hub.aside {
            trace.update(aside.sealed.hash.0);
            trace.update(format!("{:?}", (aside.reason, aside.open)));
        }
        note_states(&mut trace, &self.hub.complaints);
        let digest: [u8; 32] = trace.finalize().into();
        Hash(digest).to_string()
    }

    pub(super) fn note(&mut self, event: &Ev) {
        let (name, desk, number): (&[u8], usize, u64) = match event {
            Ev::Wake { desk, .. } => (b"wake", *desk, 0),
            Ev::News { desk, .. } => (b"news", *desk, 0),
            Ev::Arrive { desk, number, .. } => (b"arrive", *desk, *number),
            Ev::Answer { desk, number, .. } => (b"answer", *desk, *number),
            Ev::Unsent { desk, number, .. } => (b"unsent", *desk, *number),
            Ev::Commit { desk, number, .. } => (b"commit", *desk, *number),
            Ev::Start { desk } => (b"start", *desk, 0),
            Ev::HubStart => (b"hub", 0, 0),
            Ev::Lan(event) => event.name(),
            Ev::Forward { desk, event, .. } => {
                let (name, number) = event.name();
                (name, *desk, number)
            }
            Ev::Parcel(event) => {
                let (name, desk) = event.name();
                (name, desk, 0)
            }
            Ev::Operation => (b"operation", 0, 0),
            Ev::Fault => (b"fault", 0, 0),
        };
        self.trace.update(name);
        self.trace.update(self.now.to_le_bytes());
        self.trace.update((desk as u64).to_le_bytes());
        self.trace.update(number.to_le_bytes());
        match event {
            Ev::Arrive { request, .. } => note_question(&mut self.trace, &request.ask),
            Ev::Answer { reply, .. } => note_answer(&mut self.trace, reply),
            _ => {}
        }
        self.trace.update((self.hub.log.len() as u64).to_le_bytes());
        if let Some(last) = self.hub.log.last() {
            self.trace.update(last.sealed.hash.0);
        }
    }
}

/// The contents of a message, by the hashes of the events it carries.
fn note_question(trace: &mut Sha256, ask: &Ask) {
    match ask {
        Ask::Batch { events, .. } => events.iter().for_each(|one| trace.update(one.hash.0)),
        Ask::Forward { parcel } => trace.update(parcel),
        other => trace.update(format!("{other:?}")),
    }
}

fn note_answer(trace: &mut Sha256, reply: &Reply) {
    match reply {
        Reply::Page(page) => {
            let entries = page.entries.iter();
            entries.for_each(|entry| trace.update(entry.event.hash.0));
            trace.update(format!("{:?}", (page.cursor, page.more, &page.placed)));
        }
        Reply::Forwarded { receipts } => trace.update(receipts),
        other => trace.update(format!("{other:?}")),
    }
}

fn note_states(trace: &mut Sha256, states: &States) {
    for (id, complaint) in states.iter() {
        trace.update(id.0.as_bytes());
        trace.update(serde_json::to_vec(complaint).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use suda_domain::Owner;

    use super::*;

    fn after_a_day() -> World {
        let mut world = World::new(3, Plan::small()).unwrap();
        world.run(crate::PATIENCE_MS).unwrap();
        world
    }

    #[test]
    fn a_trace_is_of_the_contents_too() {
        let mut world = after_a_day();
        let before = world.trace();
        let states = &mut world.desks[0].disk.states;
        let (id, mut complaint) = states
            .iter()
            .next()
            .map(|(id, one)| (*id, one.clone()))
            .unwrap();
        complaint.intake.description.push('x');
        states.insert(id, complaint);
        assert_ne!(world.trace(), before);
    }

    #[test]
    fn a_second_owner_is_seen_at_the_change_that_makes_it() {
        let mut world = after_a_day();
        world.look_at_owners();
        assert_eq!(world.two_owners, 0);
        let hub = &mut world.hub.complaints;
        let owned = hub
            .iter()
            .find(|(_, one)| matches!(one.owner, Owner::Branch(_)));
        let (id, mut complaint) = owned.map(|(id, one)| (*id, one.clone())).unwrap();
        let rightly = complaint.clone();
        complaint.owner = Owner::Branch("CQ9999".parse().unwrap());
        hub.insert(id, complaint);
        world.look_at_owners();
        assert!(world.two_owners > 0);
        // Over again: it counts though nothing is to be seen of it in the end.
        world.hub.complaints.insert(id, rightly);
        assert_eq!(crate::check::two_owners(&world, None), 0);
        assert!(crate::check::at_the_end(&world, true).two_owners > 0);
    }
}
