//! Who reads at this desk, and what is not for them (recusal). Every reading
//! of complaints for a person asks for it; the SQL leaves out what they are
//! barred from.

use serde::Serialize;
use suda_domain::{Lines, StaffId};

use super::StoreError;

/// Who reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reader {
    /// A JSON list of members of staff: a complaint about one of them is not
    /// for the reader. Absent: none is that is about anybody.
    about: Option<String>,
}

impl Reader {
    /// The desk itself, by rule; what it reads is shown to nobody.
    pub(crate) fn program() -> Self {
        Self {
            about: Some("[]".to_owned()),
        }
    }

    /// Somebody this program cannot name: at the command line, or in front of
    /// a notification.
    pub(crate) fn anybody() -> Self {
        Self { about: None }
    }

    /// A member of staff: what is about them or about somebody below them is
    /// not for them.
    pub(crate) fn person(
        staff: StaffId,
        all: impl IntoIterator<Item = StaffId>,
        lines: &Lines,
    ) -> Result<Self, StoreError> {
        #[derive(Serialize)]
        #[serde(transparent)]
        struct About(Vec<StaffId>);
        let below = all
            .into_iter()
            .filter(|one| *one != staff && lines.above(*one).contains(&staff));
        let about = About(std::iter::once(staff).chain(below).collect());
        Ok(Self {
            about: Some(serde_json::to_string(&about)?),
        })
    }

    pub(crate) fn bound(&self) -> Option<String> {
        self.about.clone()
    }
}
