//! Who reads, and who may not: what the stores need to leave out of every
//! reading what is not for the reader (recusal). The same for every store; no
//! SQL here.

use std::sync::{Arc, Mutex, PoisonError};

use suda_domain::{Lines, StaffId};
use uuid::Uuid;

/// Who reads. Every reading of complaints asks for it, so that none can be
/// written that forgets the barrier: the stores leave out, in their SQL, what
/// the person is barred from. To them it is what does not exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader {
    /// The hub itself, by rule. What it reads is shown to nobody of the staff.
    Program,
    Person(StaffId),
}

impl Reader {
    /// As the stores bind it: absent, nothing is left out.
    pub fn staff(self) -> Option<Uuid> {
        match self {
            Self::Program => None,
            Self::Person(staff) => Some(staff.0),
        }
    }
}

/// The lines of the staff, kept until the directory changes.
#[derive(Debug, Default)]
pub struct KnownLines(Mutex<Option<(u32, Arc<Lines>)>>);

impl KnownLines {
    /// Those of this version of the directory, if they are known.
    pub fn of(&self, directory: u32) -> Option<Arc<Lines>> {
        // What is there is whole: it is only ever replaced.
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, lines) = last.as_ref()?;
        (*version == directory).then(|| Arc::clone(lines))
    }

    pub fn keep(&self, directory: u32, lines: Lines) -> Arc<Lines> {
        let lines = Arc::new(lines);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((directory, Arc::clone(&lines)));
        lines
    }
}
