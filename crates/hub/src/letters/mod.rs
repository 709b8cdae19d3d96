//! Written answers: a letter or a receipt of the answer the customer was given.
//! Each is made once of an answer, kind and language, kept as it was made, and
//! its hash goes into the ledger.

mod compose;
pub mod fonts;
pub mod settings;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use suda_domain::complaint::Complaint;
use suda_domain::intake::Language;
use suda_domain::letter::LetterHeld;
use suda_domain::{Actor, Fact, Letter, LetterId, LetterKind, Refusal};
use suda_letter::{Fonts, Problem, RenderError, Rendered};
use suda_sync::evidence::sha256;
use tokio::sync::Semaphore;
use uuid::Uuid;

use self::compose::compose;
use self::fonts::FontPlaces;
use crate::hub::Hub;
use crate::store::letters::LetterFile;
use crate::store::{StepError, StepRefused, StoreError};

/// Letters made at once: each has whole fonts in memory.
const AT_ONCE: usize = 2;

/// What making letters needs, in one process.
pub struct LetterDesk {
    dir: OnceLock<PathBuf>,
    places: OnceLock<Option<FontPlaces>>,
    turns: Semaphore,
}

impl Default for LetterDesk {
    fn default() -> Self {
        Self {
            dir: OnceLock::new(),
            places: OnceLock::new(),
            turns: Semaphore::new(AT_ONCE),
        }
    }
}

impl LetterDesk {
    /// Takes fonts from a directory instead of the system's places; once,
    /// before the first letter.
    pub fn take_fonts_from(&self, dir: PathBuf) {
        if self.dir.set(dir).is_err() {
            tracing::warn!("the letters' fonts were named before; they stay");
        }
    }

    /// Looks for fonts, and says so when there are none. Blocks the first time.
    pub fn fonts(&self) -> Option<&FontPlaces> {
        let look = || {
            let found = FontPlaces::find(self.dir.get().map(PathBuf::as_path));
            if found.is_none() {
                tracing::warn!(
                    "no font with Chinese characters was found: letters cannot be made until one \
                     is installed (fonts-noto-cjk) or named with --fonts"
                );
            }
            found
        };
        self.places.get_or_init(look).as_ref()
    }
}

/// Why a letter was not made.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    #[error("the complaint is not answered")]
    NotAnswered,
    #[error("parts of the letter are missing")]
    Incomplete(Vec<Problem>),
    #[error("there is no font with Chinese characters")]
    NoFonts,
    #[error("a letter's file is not what was made")]
    Altered,
    #[error("a font cannot be read")]
    FontFile(#[source] std::io::Error),
    #[error("the letter could not be set")]
    Render(#[source] RenderError),
    #[error("setting the letter broke off")]
    Broke(#[source] tokio::task::JoinError),
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The letter of the present answer: the one there is, or else made now.
pub async fn make(
    hub: &Arc<Hub>,
    complaint: &Complaint,
    actor: Actor,
    kind: LetterKind,
    language: Language,
) -> Result<LetterHeld, LetterError> {
    let cycle = complaint.cycle;
    if let Some(held) = complaint.letter(cycle, kind, language) {
        return Ok(held.clone());
    }
    let id = LetterId(Uuid::now_v7());
    let made_at = hub.clock.now();
    let paper = compose(hub, complaint, language, id, made_at).await?;
    let rendered = render(hub, paper, kind).await?;
    if !rendered.unprinted.is_empty() {
        let count = rendered.unprinted.len();
        tracing::warn!(letter = %id, count, "a letter has characters that no font has");
    }
    let letter = Letter {
        id,
        kind,
        language,
        sha256: sha256(&rendered.pdf).to_string(),
        bytes: rendered.pdf.len() as u64,
    };
    let file = LetterFile {
        letter: letter.clone(),
        complaint: complaint.id,
        cycle,
        made_at,
        data: rendered.pdf,
    };
    hub.store.add_letter(&file).await?;
    let answer = complaint.answer.clone();
    let decide = move |held: &crate::store::Held| {
        let now = &held.complaint;
        if now.letter(cycle, kind, language).is_some() {
            return Ok(Vec::new());
        }
        // It says what was answered when it was begun.
        if now.cycle != cycle || now.answer != answer {
            return Err(StepRefused::Rule(Refusal::State));
        }
        let letter = letter.clone();
        Ok(vec![Fact::LetterMade { letter }])
    };
    let after = hub
        .step(complaint.id, actor, None, Box::new(decide))
        .await?;
    let held = after.letter(cycle, kind, language).cloned();
    let held = held.ok_or(LetterError::NotAnswered)?;
    // Somebody else may have been quicker, or a program ended in between.
    hub.store
        .keep_only_letter(complaint.id, cycle, &held.letter)
        .await?;
    Ok(held)
}

async fn render(
    hub: &Arc<Hub>,
    paper: suda_letter::Letter,
    kind: LetterKind,
) -> Result<Rendered, LetterError> {
    let problems = paper.check();
    if !problems.is_empty() {
        return Err(LetterError::Incomplete(problems));
    }
    let _turn = hub.letters.turns.acquire().await;
    let hub = Arc::clone(hub);
    let work = move || {
        let places = hub.letters.fonts().ok_or(LetterError::NoFonts)?;
        let fonts: Fonts = places.read(paper.language).map_err(LetterError::FontFile)?;
        suda_letter::render(&paper, kind, &fonts).map_err(|error| match error {
            RenderError::Incomplete(problems) => LetterError::Incomplete(problems),
            other => LetterError::Render(other),
        })
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(LetterError::Broke)?
}

/// The bytes of a letter of this complaint, as they were made.
pub async fn contents(hub: &Hub, letter: &Letter) -> Result<Vec<u8>, LetterError> {
    let found = hub.store.letter_file(letter.id).await?;
    let (_, data) = found.ok_or(LetterError::Altered)?;
    if sha256(&data).to_string() == letter.sha256 {
        Ok(data)
    } else {
        Err(LetterError::Altered)
    }
}
