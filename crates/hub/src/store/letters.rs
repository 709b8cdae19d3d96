//! The files of written answers, as a store keeps them: in the database, so
//! that backups, moves and restores take them along. Which of them counts, and
//! its hash, is in the ledger.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use suda_domain::{ComplaintId, Letter, LetterId};

use super::Result;
use crate::letters::settings::LetterSettings;

/// Where the settings stand.
pub const LETTERS: &str = "letters";

/// A file to be kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LetterFile {
    pub letter: Letter,
    pub complaint: ComplaintId,
    pub cycle: u32,
    pub made_at: DateTime<Utc>,
    pub data: Vec<u8>,
}

#[async_trait]
pub trait LetterStore {
    /// What letters say beside the answer; the default where nothing was set.
    async fn letter_settings(&self) -> Result<LetterSettings>;
    async fn put_letter_settings(&self, settings: &LetterSettings) -> Result<()>;
    /// Keeps a file; one of the same id stays as it is.
    async fn add_letter(&self, file: &LetterFile) -> Result<()>;
    /// Whose file it is, and its bytes.
    async fn letter_file(&self, id: LetterId) -> Result<Option<(ComplaintId, Vec<u8>)>>;
    /// Forgets the files of the same answer, kind and language but this one,
    /// which the ledger names.
    async fn keep_only_letter(
        &self,
        complaint: ComplaintId,
        cycle: u32,
        letter: &Letter,
    ) -> Result<()>;
}
