//! Evidence files (证据): what a file has to be before it belongs to a
//! complaint, and the complaint's list of them. The contents travel in a lane
//! of their own; the ledger holds the file's name and hash.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::complaint::{Complaint, Refusal};
use crate::fact::Fact;
use crate::ids::EvidenceId;
use crate::ledger::{Actor, LedgerEvent};
use crate::text::clean;

/// Bytes a file may have.
pub const MOST_BYTES: u64 = 200 * 1024 * 1024;
/// Files a complaint may have.
pub const MOST_FILES: usize = 100;
/// Bytes a file's name may have, in UTF-8.
const NAME_BYTES: usize = 120;
/// A longer ending is no ending of a file's type.
const ENDING_BYTES: usize = 12;
/// What a file without a usable name is called.
const NAMELESS: &str = "evidence";

/// What a file shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    Photo,
    Scan,
    Audio,
    Signature,
    Other,
}

impl EvidenceKind {
    /// What a file of this media type is taken for, unless somebody says
    /// otherwise.
    pub fn of(media_type: &str) -> Self {
        match media_type {
            "application/pdf" | "image/tiff" => Self::Scan,
            image if image.starts_with("image/") => Self::Photo,
            audio if audio.starts_with("audio/") => Self::Audio,
            _ => Self::Other,
        }
    }

    /// Whether somebody may say so of a file of this media type.
    pub fn fits(self, media_type: &str) -> bool {
        let is_picture = media_type.starts_with("image/");
        match self {
            Self::Photo | Self::Signature => is_picture,
            Self::Scan => is_picture || media_type == "application/pdf",
            Self::Audio => media_type.starts_with("audio/"),
            Self::Other => true,
        }
    }
}

/// The media types that are taken, as they are recognised by content: pictures,
/// scans and recordings as counter PCs, scanners and telephones make them.
/// Nothing that a computer would run.
pub const MEDIA_TYPES: &[&str] = &[
    "application/pdf",
    "audio/aac",
    "audio/amr",
    "audio/m4a",
    "audio/mpeg",
    "audio/ogg",
    "audio/opus",
    "audio/x-flac",
    "audio/x-wav",
    "image/bmp",
    "image/gif",
    "image/heif",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
    "video/mp4",
    "video/quicktime",
];

/// One file that belongs to a complaint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evidence {
    pub id: EvidenceId,
    /// Without folders; see [`clean_name`].
    pub name: String,
    pub kind: EvidenceKind,
    /// One of [`MEDIA_TYPES`], found in the contents and not in the name.
    pub media_type: String,
    #[cfg_attr(feature = "specta", specta(type = u32))]
    pub bytes: u64,
    /// SHA-256 of the contents, 64 hexadecimal digits in lower case.
    pub sha256: String,
}

impl Evidence {
    /// Whether everything that is said of the file is possible.
    pub fn is_well_formed(&self) -> bool {
        (1..=MOST_BYTES).contains(&self.bytes)
            && MEDIA_TYPES.contains(&self.media_type.as_str())
            && self.kind.fits(&self.media_type)
            && self.name == clean_name(&self.name)
            && self.sha256.len() == 64
            && self
                .sha256
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    }
}

/// A file in a complaint's list, with who added it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EvidenceHeld {
    pub file: Evidence,
    pub added_by: Actor,
    /// In trusted time.
    pub added_at: DateTime<Utc>,
}

/// A file's name without folders, control characters and what no file system
/// takes, and short enough; its ending is kept.
pub fn clean_name(raw: &str) -> String {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let safe: String = clean(last)
        .chars()
        .map(|c| match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\n' | '\t' => '_',
            other => other,
        })
        .collect();
    let bare = safe.trim_matches(|c: char| c == '.' || c.is_whitespace());
    if bare.is_empty() {
        return NAMELESS.to_owned();
    }
    if bare.len() <= NAME_BYTES {
        return bare.to_owned();
    }
    let ending = match bare.rsplit_once('.') {
        Some((_, ending)) if ending.len() <= ENDING_BYTES => format!(".{ending}"),
        _ => String::new(),
    };
    let stem = crate::text::cut_bytes(bare, NAME_BYTES - ending.len());
    format!("{}{ending}", stem.trim_end_matches(['.', ' ']))
}

impl Complaint {
    /// The file of this id, if it belongs to the complaint.
    pub fn evidence_file(&self, id: EvidenceId) -> Option<&EvidenceHeld> {
        self.evidence.iter().find(|held| held.file.id == id)
    }

    pub(crate) fn admit_evidence(&self, file: &Evidence) -> Result<(), Refusal> {
        if !file.is_well_formed() {
            return Err(Refusal::Incomplete);
        }
        if self.evidence.len() >= MOST_FILES || self.evidence_file(file.id).is_some() {
            return Err(Refusal::State);
        }
        Ok(())
    }

    /// Adds the file of an event to the list. The list is in the order of the
    /// ids, which hold the time, so that it does not depend on the order in
    /// which desks and hub came to know of the files.
    pub(crate) fn keep_evidence(&mut self, event: &LedgerEvent) {
        let Fact::EvidenceAdded { file } = &event.fact else {
            return;
        };
        let place = self
            .evidence
            .binary_search_by_key(&file.id, |held| held.file.id);
        if let Err(place) = place {
            let held = EvidenceHeld {
                file: file.clone(),
                added_by: event.actor.clone(),
                added_at: event.at.trusted(),
            };
            self.evidence.insert(place, held);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_neither_folders_nor_what_could_mislead() {
        for (raw, name) in [
            ("账单.jpg", "账单.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\wang\\照片 1.png", "照片 1.png"),
            ("a\u{202e}gpj.exe\u{0}.jpg", "agpj.exe.jpg"),
            ("a:b?.pdf", "a_b_.pdf"),
            ("..", "evidence"),
            ("", "evidence"),
            ("dir/", "evidence"),
        ] {
            assert_eq!(clean_name(raw), name, "{raw:?}");
        }
        let long = format!("{}.jpeg", "证".repeat(200));
        let short = clean_name(&long);
        assert!(
            short.len() <= NAME_BYTES && short.ends_with("证.jpeg"),
            "{short}"
        );
        assert_eq!(clean_name(&short), short, "a clean name stays as it is");
    }

    #[test]
    fn a_kind_is_guessed_from_the_media_type_and_only_a_fitting_one_is_taken() {
        for media_type in MEDIA_TYPES {
            assert!(
                EvidenceKind::of(media_type).fits(media_type),
                "{media_type}"
            );
        }
        assert_eq!(EvidenceKind::of("application/pdf"), EvidenceKind::Scan);
        assert!(!EvidenceKind::Signature.fits("audio/amr"));
    }
}
