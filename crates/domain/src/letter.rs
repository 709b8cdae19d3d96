//! Written answers (答复函): the files made for the customer of an answer. The
//! hub keeps the file; the ledger holds its hash, so that an altered letter is
//! noticed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::complaint::{Complaint, Refusal};
use crate::fact::Fact;
use crate::ids::LetterId;
use crate::intake::Language;
use crate::ledger::LedgerEvent;

/// Which paper it is made for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    /// A4.
    Letter,
    /// The 80 mm roll of a counter's printer.
    Receipt,
}

impl LetterKind {
    pub const ALL: [Self; 2] = [Self::Letter, Self::Receipt];

    /// The name on the wire and in databases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Receipt => "receipt",
        }
    }
}

/// One file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Letter {
    pub id: LetterId,
    pub kind: LetterKind,
    pub language: Language,
    /// SHA-256 of the file, 64 hexadecimal digits in lower case.
    pub sha256: String,
    #[cfg_attr(feature = "specta", specta(type = u32))]
    pub bytes: u64,
}

/// A file in a complaint's list, with the cycle whose answer it says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LetterHeld {
    pub letter: Letter,
    pub cycle: u32,
    pub made_by: String,
    pub made_at: DateTime<Utc>,
}

impl Complaint {
    /// The file made of an answer; there is one of each kind and language.
    pub fn letter(&self, cycle: u32, kind: LetterKind, language: Language) -> Option<&LetterHeld> {
        self.letters.iter().find(|held| {
            (held.cycle, held.letter.kind, held.letter.language) == (cycle, kind, language)
        })
    }

    /// A letter is of the answer there is, and the first of its kind and language.
    pub(crate) fn admit_letter(&self, letter: &Letter) -> Result<(), Refusal> {
        if self.answer.is_none() {
            return Err(Refusal::State);
        }
        let hash = letter.sha256.as_bytes();
        let is_hash = hash.len() == 64
            && hash
                .iter()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash || letter.bytes == 0 {
            return Err(Refusal::Incomplete);
        }
        match self.letter(self.cycle, letter.kind, letter.language) {
            Some(_) => Err(Refusal::State),
            None => Ok(()),
        }
    }

    pub(crate) fn keep_letter(&mut self, event: &LedgerEvent) {
        if let Fact::LetterMade { letter } = &event.fact {
            self.letters.push(LetterHeld {
                letter: letter.clone(),
                cycle: self.cycle,
                made_by: event.actor.name.clone(),
                made_at: event.at.trusted(),
            });
        }
    }
}
