//! The answer to a complaint as a designed page: an A4 letter and an 80 mm
//! receipt, in three languages, as PDF. A value goes in, bytes come out: the
//! crate reads no file, no clock, no network; the fonts are given to it. The
//! same letter and fonts give the same bytes, so that a hash names them.
//!
//! `letter` says what has to be in it, `texts` the words that are always the
//! same, `a4` and `receipt` the two designs, `typeset` and `page` the lines and
//! pages they are built of, `write` the file.

mod a4;
mod clean;
mod density;
mod draft;
mod letter;
mod page;
mod qr;
mod receipt;
mod texts;
mod typeset;
mod write;

pub use letter::{
    Currency, Fault, LONGEST_CONTACT, LONGEST_LINE, LONGEST_LINK, LONGEST_TEXT, Letter,
    MOST_MEASURES, Money, Part, Problem,
};
pub use page::{Composition, Mark, Page, Placed, Role};
/// Which of the two designs.
pub use suda_domain::LetterKind as Kind;
pub use typeset::{Face, Fonts, Line};

use texts::Texts;
use typeset::Typesetter;

/// A finished document.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub pdf: Vec<u8>,
    pub pages: usize,
    /// Whether it keeps to PDF/A-2a and PDF/UA-1.
    pub archival: bool,
    /// Characters none of the fonts has; a stand-in was printed for each.
    pub unprinted: Vec<char>,
}

/// Why a letter was not made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("parts of the letter are missing or cannot stand in it: {0:?}")]
    Incomplete(Vec<Problem>),
    #[error("a font given for letters cannot be read")]
    UnreadableFont,
    #[error("a font given for letters may not be embedded")]
    FontNotEmbeddable,
    #[error("the PDF could not be written: {0}")]
    Pdf(String),
}

/// Makes the document.
///
/// # Errors
/// [`RenderError::Incomplete`] when [`Letter::check`] finds anything: a letter
/// with a part missing is not made.
pub fn render(letter: &Letter, kind: Kind, fonts: &Fonts) -> Result<Rendered, RenderError> {
    let (composition, typesetter) = laid_out(letter, kind, fonts)?;
    let texts = Texts::of(letter.language);
    let title = match letter.decision {
        Some(_) => texts.answer_title,
        None => texts.summary_title,
    };
    let about = write::About {
        title: format!("{title} {}", letter.reference),
        organisation: letter.organisation.clone(),
        language: texts.tag,
        document: letter.document.clone(),
        made_at: letter.made_at,
    };
    let written = write::write(&composition, &typesetter, &about).map_err(|error| match error {
        write::WriteError::FontNotEmbeddable => RenderError::FontNotEmbeddable,
        write::WriteError::Pdf(text) => RenderError::Pdf(text),
    })?;
    Ok(Rendered {
        pdf: written.pdf,
        pages: composition.pages.len(),
        archival: written.archival,
        unprinted: typesetter.unprinted().iter().copied().collect(),
    })
}

/// The pages before they are written: every line and where it stands, for
/// whoever checks a layout.
///
/// # Errors
/// As [`render`].
pub fn compose(letter: &Letter, kind: Kind, fonts: &Fonts) -> Result<Composition, RenderError> {
    laid_out(letter, kind, fonts).map(|(composition, _)| composition)
}

fn laid_out(
    letter: &Letter,
    kind: Kind,
    fonts: &Fonts,
) -> Result<(Composition, Typesetter), RenderError> {
    let problems = letter.check();
    if !problems.is_empty() {
        return Err(RenderError::Incomplete(problems));
    }
    let texts = Texts::of(letter.language);
    let mut typesetter = Typesetter::new(fonts, texts).map_err(|_| RenderError::UnreadableFont)?;
    let composition = match kind {
        Kind::Letter => a4::compose(letter, texts, &mut typesetter),
        Kind::Receipt => receipt::compose(letter, texts, &mut typesetter),
    };
    Ok((composition, typesetter))
}
