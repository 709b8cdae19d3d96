//! How the hub finds a copied or rolled-back database at its first hello: each
//! hello is answered with a new session, the desk stores the session before it
//! uses it and shows it at the next hello. Of two databases with one identity,
//! the second to come shows a session that the hub has seen the other use.

use crate::message::Renewal;

/// The hub's last sessions with one incarnation of a device. Numbers rise; 0 is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Contact {
    pub current: u64,
    /// A question has come in the current session: the desk has stored it.
    pub used: bool,
    /// What the desk showed when the current session was given.
    pub before: u64,
}

/// How a hello is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Greeting {
    /// With the session of this number, after storing the contact.
    Welcome { session: u64, contact: Contact },
    /// With a new incarnation.
    Renew,
}

impl Contact {
    /// `shown` is the session the hello carries, 0 for none, and
    /// `same_epoch` whether it was given by the hub as it is now: a hub put
    /// back from a backup cannot judge what it does not remember.
    pub fn greet(self, renewal: Renewal, shown: u64, same_epoch: bool) -> Greeting {
        match renewal {
            Renewal::Unknown => Greeting::Welcome {
                session: 0,
                contact: self,
            },
            Renewal::Wanted => Greeting::Renew,
            Renewal::Ready if !same_epoch || self.knows(shown) => {
                let next = Self {
                    current: self.current + 1,
                    used: false,
                    before: shown,
                };
                Greeting::Welcome {
                    session: next.current,
                    contact: next,
                }
            }
            Renewal::Ready => Greeting::Renew,
        }
    }

    /// A session whose welcome was lost on its way has never been used.
    fn knows(self, shown: u64) -> bool {
        shown == self.current || (!self.used && shown == self.before)
    }

    /// Whether questions may be asked in the session of this number. 0 is that
    /// of desks that cannot be renewed.
    pub fn holds(self, session: u64) -> bool {
        session == 0 || session == self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn welcomed(contact: Contact, shown: u64) -> Contact {
        match contact.greet(Renewal::Ready, shown, true) {
            Greeting::Welcome { contact, .. } => contact,
            Greeting::Renew => panic!("renewed"),
        }
    }

    fn used(contact: Contact) -> Contact {
        Contact {
            used: true,
            ..contact
        }
    }

    #[test]
    fn of_two_databases_with_one_identity_the_second_to_come_is_found() {
        let first = used(welcomed(Contact::default(), 0));
        let copy = used(welcomed(first, 1));
        assert_eq!(copy.greet(Renewal::Ready, 1, true), Greeting::Renew);
    }

    #[test]
    fn a_desk_whose_welcomes_are_lost_is_taken_for_itself() {
        let mut contact = used(welcomed(Contact::default(), 0));
        for _ in 0..5 {
            contact = welcomed(contact, 1);
        }
        let contact = used(contact);
        assert_eq!(welcomed(contact, contact.current).current, 7);
    }

    #[test]
    fn a_hub_put_back_judges_nobody_and_an_old_desk_is_left_alone() {
        let contact = Contact {
            current: 9,
            used: true,
            before: 8,
        };
        assert!(matches!(
            contact.greet(Renewal::Ready, 12, false),
            Greeting::Welcome { session: 10, .. }
        ));
        assert_eq!(
            contact.greet(Renewal::Unknown, 0, true),
            Greeting::Welcome {
                session: 0,
                contact
            }
        );
    }
}
