//! The fonts letters are set in: found once among those of the computer, or in
//! a directory the operator names. Their bytes are read for each letter and
//! given back, because Chinese fonts are large and letters are few.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fontdb::{Database, Family, Query, Source, Weight};
use suda_domain::intake::Language;
use suda_letter::{Face, Fonts};

/// Families with Chinese characters as the mainland writes them, best first.
const SIMPLIFIED: &[&str] = &[
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "思源黑体",
    "HarmonyOS Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Droid Sans Fallback",
];
/// As Taiwan and Hong Kong write them.
const TRADITIONAL: &[&str] = &[
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Source Han Sans TC",
    "Source Han Sans TW",
    "思源黑體",
    "PingFang TC",
    "Microsoft JhengHei",
];
/// Asked for what the Chinese ones lack.
const OTHERS: &[&str] = &["Noto Sans", "Noto Sans Arabic", "DejaVu Sans"];

/// Where the fonts of letters are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FontPlaces {
    simplified: Pair,
    traditional: Pair,
    others: Vec<Place>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Pair {
    regular: Place,
    bold: Place,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    file: PathBuf,
    index: u32,
}

impl FontPlaces {
    /// Looks in `dir`, else where this system keeps its fonts. Nothing when no
    /// font with Chinese characters is known there.
    pub fn find(dir: Option<&Path>) -> Option<Self> {
        let mut known = Database::new();
        match dir {
            Some(dir) => known.load_fonts_dir(dir),
            None => known.load_system_fonts(),
        }
        let simplified = pair(&known, SIMPLIFIED);
        let traditional = pair(&known, TRADITIONAL);
        let simplified = simplified.or_else(|| traditional.clone())?;
        Some(Self {
            traditional: traditional.unwrap_or_else(|| simplified.clone()),
            simplified,
            others: OTHERS
                .iter()
                .filter_map(|family| place(&known, family, Weight::NORMAL))
                .collect(),
        })
    }

    /// Reads the fonts for a language. Blocks.
    pub fn read(&self, language: Language) -> std::io::Result<Fonts> {
        let pair = match language {
            Language::ZhTw => &self.traditional,
            Language::ZhCn | Language::En => &self.simplified,
        };
        let regular = pair.regular.read()?;
        let bold = if pair.bold.file == pair.regular.file {
            Face {
                data: Arc::clone(&regular.data),
                index: pair.bold.index,
            }
        } else {
            pair.bold.read()?
        };
        let others = self.others.iter().map(Place::read);
        Ok(Fonts {
            regular,
            bold,
            fallbacks: others.collect::<Result<_, _>>()?,
        })
    }
}

impl Place {
    fn read(&self) -> std::io::Result<Face> {
        Ok(Face {
            data: Arc::new(std::fs::read(&self.file)?),
            index: self.index,
        })
    }
}

fn pair(known: &Database, families: &[&str]) -> Option<Pair> {
    families.iter().find_map(|family| {
        Some(Pair {
            regular: place(known, family, Weight::NORMAL)?,
            bold: place(known, family, Weight::BOLD)?,
        })
    })
}

/// The face of the family whose weight is nearest.
fn place(known: &Database, family: &str, weight: Weight) -> Option<Place> {
    let id = known.query(&Query {
        families: &[Family::Name(family)],
        weight,
        ..Query::default()
    })?;
    match known.face_source(id)? {
        (Source::File(file) | Source::SharedFile(file, _), index) => Some(Place { file, index }),
        (Source::Binary(_), _) => None,
    }
}
