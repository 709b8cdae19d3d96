//! What the management group says among itself stays at the centre. A branch is
//! told what moves the state of the case and how much may be given, without the
//! words, and without who voted.
//!
//! An event with other contents has another hash, and would break the chain under
//! its own number. What is told in its place is therefore an event of its own: it
//! has a number beside those of its lane ([`BESIDE`]), follows the very event it
//! stands for, and names it as what it was first ([`Origin`]). For a desk, of
//! whatever version, the number that is left out is a gap, as every other
//! branch's events are; and the event that came whole before is one that has been
//! given a new number. It is made of the event alone, so that hub and desks make
//! the same.

use serde::Deserialize;
use suda_domain::{Actor, EventKey, Fact, FactKind, LedgerEvent, Origin};

use crate::chain::SealedEvent;

/// Numbers from here on stand for events that are not told whole. No lane has so
/// many of its own. Two of them never follow each other, so that no check looks
/// for a chain between them.
pub const BESIDE: u64 = 1 << 48;

/// The event as a branch may have it; none of what only goes to and fro within
/// the centre.
pub fn for_branch(sealed: SealedEvent) -> Option<SealedEvent> {
    match kind(sealed.body.get()) {
        // Who has read a notice is between the centre's people.
        Some(FactKind::EscalationSeen) => return None,
        Some(kind) if kind.is_deliberation() => {}
        _ => return Some(sealed),
    }
    // One that cannot be read cannot be cleared of its words either.
    let event = sealed.open().ok()?;
    if event.key.n >= BESIDE {
        return Some(sealed);
    }
    let (fact, actor) = match event.fact {
        Fact::ApprovalRequested {
            compensation_minor,
            votes,
            ..
        } => (
            Fact::ApprovalRequested {
                reason: String::new(),
                compensation_minor,
                votes,
            },
            event.actor,
        ),
        Fact::Approved {
            compensation_minor, ..
        } => (
            Fact::Approved {
                comment: String::new(),
                changes: String::new(),
                compensation_minor,
            },
            nameless(&event.actor),
        ),
        Fact::Disapproved { .. } => (
            Fact::Disapproved {
                reason: String::new(),
            },
            nameless(&event.actor),
        ),
        _ => return None,
    };
    let told = LedgerEvent {
        key: EventKey {
            n: BESIDE + 2 * event.key.n,
            ..event.key
        },
        origin: Some(Origin {
            key: event.key,
            hash: sealed.hash.to_string(),
        }),
        fact,
        actor,
        ..event
    };
    SealedEvent::seal(&told, sealed.hash).ok()
}

fn nameless(actor: &Actor) -> Actor {
    Actor {
        staff: None,
        name: String::new(),
        role: actor.role,
        branch: actor.branch.clone(),
    }
}

/// What kind of fact the event tells, without reading the whole of it where it
/// is written as this program writes it. Within a text a quotation mark has a
/// backslash before it, so that no text can be taken for it.
fn kind(body: &str) -> Option<FactKind> {
    const FACT: &str = "\"fact\":{\"kind\":\"";
    #[derive(Deserialize)]
    struct Told {
        fact: Kind,
    }
    #[derive(Deserialize)]
    struct Kind {
        kind: FactKind,
    }
    let name = body.split_once(FACT).map(|(_, rest)| rest);
    match name.and_then(|rest| rest.split('"').next()) {
        Some(name) => FactKind::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == name),
        None => serde_json::from_str::<Told>(body)
            .ok()
            .map(|told| told.fact.kind),
    }
}

#[cfg(test)]
mod tests {
    use suda_domain::fact::Stance;
    use suda_domain::{ComplaintId, DeviceId, Lane, Role, StaffId, Stamp};
    use uuid::Uuid;

    use super::*;
    use crate::Hash;

    fn said(n: u64, fact: Fact) -> SealedEvent {
        let event = LedgerEvent {
            key: EventKey {
                device: DeviceId(Uuid::from_u128(9)),
                incarnation: 1,
                lane: Lane::Ordinary,
                n,
            },
            complaint: ComplaintId(Uuid::from_u128(1)),
            owner_no: 2,
            at: Stamp {
                wall: "2026-07-21T02:00:00Z".parse().unwrap(),
                mono_ms: 5,
                hub_offset_ms: None,
                offset_age_s: None,
            },
            actor: Actor {
                staff: Some(StaffId(Uuid::from_u128(3))),
                name: "密名".into(),
                role: Role::Management,
                branch: None,
            },
            fact,
            origin: None,
        };
        SealedEvent::seal(&event, Hash::START).unwrap()
    }

    fn approved() -> Fact {
        Fact::Approved {
            comment: "密语".into(),
            changes: "密语".into(),
            compensation_minor: Some(30_000),
        }
    }

    #[test]
    fn a_vote_is_told_without_its_words_and_its_voter_and_binds_the_sum() {
        let told = for_branch(said(7, approved())).unwrap();
        assert!(!told.body.get().contains('密'), "{}", told.body.get());
        let event = told.open().unwrap();
        assert_eq!(
            (event.actor.staff, event.actor.role),
            (None, Role::Management)
        );
        assert!(matches!(
            event.fact,
            Fact::Approved {
                compensation_minor: Some(30_000),
                ..
            }
        ));
        let refused = Fact::Disapproved {
            reason: "密语".into(),
        };
        let told = for_branch(said(8, refused)).unwrap();
        assert!(!told.body.get().contains('密'));
    }

    #[test]
    fn what_goes_to_and_fro_within_the_centre_is_not_told() {
        let comment = Fact::Commented {
            text: "密语".into(),
            stance: Stance::Against,
        };
        assert!(for_branch(said(7, comment)).is_none());
        let asked = Fact::CommentsAsked {
            text: "密语".into(),
        };
        assert!(for_branch(said(8, asked)).is_none());
    }

    #[test]
    fn it_names_the_event_it_stands_for_and_no_chain_is_looked_for() {
        let (first, next) = (said(7, approved()), said(8, approved()));
        let told = for_branch(first.clone()).unwrap();
        let event = told.open().unwrap();
        let origin = event.origin.clone().unwrap();
        assert_eq!(origin.key, first.open().unwrap().key);
        assert_eq!(origin.hash, first.hash.to_string());
        assert_eq!(told.prev, first.hash);
        let after = for_branch(next).unwrap().open().unwrap();
        assert!(after.key.n > event.key.n + 1, "nothing to follow");
    }

    #[test]
    fn once_withheld_it_stays_as_it_is_and_everything_else_goes_whole() {
        let told = for_branch(said(7, approved())).unwrap();
        let again = for_branch(told.clone()).unwrap();
        assert_eq!(again.hash, told.hash);
        let note = said(
            9,
            Fact::Noted {
                text: r#""fact":{"kind":"approved""#.into(),
            },
        );
        let same = for_branch(note.clone()).unwrap();
        assert_eq!(same.hash, note.hash);
    }

    /// A hub of another make may write its JSON otherwise.
    #[test]
    fn it_is_known_however_it_is_written() {
        let plain = said(7, approved());
        let spaced = plain.body.get().replace("\":", "\" : ");
        let hash = Hash::link(Hash::START, spaced.as_bytes());
        let spaced = SealedEvent::from_parts(spaced, Hash::START, hash).unwrap();
        assert!(!for_branch(spaced).unwrap().body.get().contains('密'));
    }
}
