//! From pages to the bytes of a PDF: tagged for screen readers (PDF/UA-1), fit
//! for the archive (PDF/A-2a), fonts embedded as subsets. The same pages give
//! the same bytes: nothing is asked of the clock or of chance.

use std::num::NonZeroU16;

use chrono::{DateTime, Datelike, Timelike, Utc};
use krilla::Document;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, Configuration, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::error::KrillaError;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime as PdfTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, ListNumbering, SpanTag, Tag, TagGroup, TagTree,
};

use crate::page::{Composition, Mark, Placed, Role};
use crate::typeset::{Ink, Line, Typesetter};

/// What the file says of itself.
pub struct About {
    pub title: String,
    pub organisation: String,
    pub language: &'static str,
    pub document: String,
    pub made_at: DateTime<Utc>,
}

/// Why no file came of it.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The font's maker does not allow it to be embedded.
    #[error("the font may not be embedded")]
    FontNotEmbeddable,
    #[error("the PDF could not be written: {0}")]
    Pdf(String),
}

/// The bytes, and whether they keep to the archive's rules.
pub struct Written {
    pub pdf: Vec<u8>,
    pub archival: bool,
}

/// Writes the pages. Should a text break a rule of the archive's form, the
/// customer gets the letter all the same, as an ordinary tagged PDF.
pub fn write(
    composition: &Composition,
    typesetter: &Typesetter,
    about: &About,
) -> Result<Written, WriteError> {
    let strict = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|e| WriteError::Pdf(format!("{e:?}")))?;
    match write_with(strict, composition, typesetter, about) {
        Ok(pdf) => Ok(Written {
            pdf,
            archival: true,
        }),
        Err(KrillaError::Validation(found)) => {
            use krilla::configure::ValidationError::RestrictedLicense;
            if found
                .iter()
                .any(|(error, _)| matches!(error, RestrictedLicense(_)))
            {
                return Err(WriteError::FontNotEmbeddable);
            }
            write_with(Configuration::default(), composition, typesetter, about)
                .map(|pdf| Written {
                    pdf,
                    archival: false,
                })
                .map_err(|e| WriteError::Pdf(e.to_string()))
        }
        Err(other) => Err(WriteError::Pdf(other.to_string())),
    }
}

fn write_with(
    configuration: Configuration,
    composition: &Composition,
    typesetter: &Typesetter,
    about: &About,
) -> Result<Vec<u8>, KrillaError> {
    let mut document = Document::new_with(SerializeSettings {
        configuration,
        enable_tagging: true,
        ..SerializeSettings::default()
    });
    let mut tags = Tags::new(composition.roles.len());
    let mut outline = Outline::new();
    for page in &composition.pages {
        let Some(settings) = PageSettings::from_wh(page.width, page.height) else {
            continue;
        };
        let mut sheet = document.start_page_with(settings);
        let mut surface = sheet.surface();
        for placed in &page.marks {
            draw(&mut surface, placed, typesetter, &mut tags);
        }
        surface.finish();
        sheet.finish();
    }
    let headings = headings(composition);
    for heading in &headings {
        let to = XyzDestination::new(heading.page, Point::from_xy(0.0, heading.y));
        outline.push_child(OutlineNode::new(heading.text.clone(), to));
    }
    document.set_outline(outline);
    document.set_tag_tree(tags.tree(&composition.roles, &headings, about.language));
    document.set_metadata(metadata(about));
    document.finish()
}

fn metadata(about: &About) -> Metadata {
    let at = about.made_at;
    // Each is within its range by the calendar; a year before 0 has no letters.
    let part = |value: u32| u8::try_from(value).unwrap_or_default();
    let made = PdfTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(part(at.month()))
        .day(part(at.day()))
        .hour(part(at.hour()))
        .minute(part(at.minute()))
        .second(part(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(about.title.clone())
        .authors(vec![about.organisation.clone()])
        .language(about.language.to_owned())
        .creator("Suda".to_owned())
        .document_id(about.document.clone())
        .creation_date(made)
}

/// The title or a heading, where it stands.
struct Heading {
    group: usize,
    text: String,
    page: usize,
    y: f32,
}

fn headings(composition: &Composition) -> Vec<Heading> {
    let mut found: Vec<Heading> = Vec::new();
    for (page, sheet) in composition.pages.iter().enumerate() {
        for placed in &sheet.marks {
            let Mark::Text {
                line,
                group: Some(group),
            } = &placed.mark
            else {
                continue;
            };
            if !matches!(
                composition.roles.get(*group),
                Some(Role::Title | Role::Heading)
            ) {
                continue;
            }
            match found.iter_mut().find(|known| known.group == *group) {
                Some(known) => known.text.push_str(&line.text),
                None => found.push(Heading {
                    group: *group,
                    text: line.text.clone(),
                    page,
                    y: placed.y,
                }),
            }
        }
    }
    found
}

fn draw(surface: &mut Surface<'_>, placed: &Placed, typesetter: &Typesetter, tags: &mut Tags) {
    let (x, y) = (placed.x, placed.y);
    match &placed.mark {
        Mark::Text { line, group } => {
            let tag = match group {
                Some(_) => ContentTag::Span(SpanTag::empty()),
                None => artifact(ArtifactType::Layout),
            };
            let id = surface.start_tagged(tag);
            draw_line(surface, line, x, y, typesetter);
            surface.end_tagged();
            if let Some(group) = group {
                tags.add(*group, id);
            }
        }
        Mark::Box { width, height, ink } => {
            surface.start_tagged(artifact(ArtifactType::Layout));
            fill_rects(surface, [(x, y, *width, *height)], *ink);
            surface.end_tagged();
        }
        Mark::Frame {
            width,
            height,
            thickness,
            ink,
        } => {
            let (w, h, t) = (*width, *height, *thickness);
            surface.start_tagged(artifact(ArtifactType::Layout));
            let sides = [
                (x, y, w, t),
                (x, y + h - t, w, t),
                (x, y + t, t, h - 2.0 * t),
                (x + w - t, y + t, t, h - 2.0 * t),
            ];
            fill_rects(surface, sides, *ink);
            surface.end_tagged();
        }
        Mark::Qr {
            modules,
            side,
            group,
            ink,
        } => {
            let id = surface.start_tagged(ContentTag::Other);
            let unit = side / modules.side.max(1) as f32;
            let squares = modules.stretches().into_iter().map(|(from, to, row)| {
                (
                    x + from as f32 * unit,
                    y + row as f32 * unit,
                    (to - from) as f32 * unit,
                    unit,
                )
            });
            fill_rects(surface, squares, *ink);
            surface.end_tagged();
            tags.add(*group, id);
        }
    }
}

fn artifact(kind: ArtifactType) -> ContentTag<'static> {
    ContentTag::Artifact(Artifact::with_kind(kind))
}

fn fill_rects(
    surface: &mut Surface<'_>,
    rects: impl IntoIterator<Item = (f32, f32, f32, f32)>,
    ink: Ink,
) {
    let mut path = PathBuilder::new();
    for (x, y, width, height) in rects {
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            path.push_rect(rect);
        }
    }
    if let Some(path) = path.finish() {
        surface.set_stroke(None);
        surface.set_fill(Some(fill(ink)));
        surface.draw_path(&path);
    }
}

fn draw_line(surface: &mut Surface<'_>, line: &Line, x: f32, y: f32, typesetter: &Typesetter) {
    surface.set_fill(Some(fill(line.ink)));
    for run in &line.runs {
        let Some(font) = typesetter.font(run.font) else {
            continue;
        };
        surface.set_stroke(run.thickened.then(|| Stroke {
            paint: colour(line.ink).into(),
            width: run.size / 30.0,
            ..Stroke::default()
        }));
        surface.draw_glyphs(
            Point::from_xy(x + run.x, y + line.baseline),
            &run.glyphs,
            font.clone(),
            &line.text,
            run.size,
            false,
        );
    }
    surface.set_stroke(None);
}

fn fill(ink: Ink) -> Fill {
    Fill {
        paint: colour(ink).into(),
        opacity: krilla::num::NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }
}

/// The colours of the program's own windows, so that paper and screen agree.
fn colour(ink: Ink) -> rgb::Color {
    match ink {
        Ink::Text => rgb::Color::new(0x17, 0x26, 0x2b),
        Ink::Soft => rgb::Color::new(0x4d, 0x60, 0x67),
        Ink::Accent => rgb::Color::new(0x12, 0x4f, 0x63),
        Ink::Line => rgb::Color::new(0xc9, 0xd5, 0xd9),
        Ink::Tint => rgb::Color::new(0xee, 0xf4, 0xf6),
        Ink::White => rgb::Color::new(0xff, 0xff, 0xff),
        Ink::Black => rgb::Color::new(0, 0, 0),
    }
}

/// What was drawn of each group.
struct Tags(Vec<Vec<Identifier>>);

impl Tags {
    fn new(groups: usize) -> Self {
        Self(vec![Vec::new(); groups])
    }

    fn add(&mut self, group: usize, id: Identifier) {
        if let Some(ids) = self.0.get_mut(group) {
            ids.push(id);
        }
    }

    fn tree(self, roles: &[Role], headings: &[Heading], language: &str) -> TagTree {
        let mut tree = TagTree::new().with_lang(Some(language.to_owned()));
        let mut list: Option<TagGroup> = None;
        for (group, (role, ids)) in roles.iter().zip(self.0).enumerate() {
            if *role != Role::Item
                && let Some(done) = list.take()
            {
                tree.push(done);
            }
            let filled = |mut tag: TagGroup| {
                for id in &ids {
                    tag.push(*id);
                }
                tag
            };
            let heading = |level: NonZeroU16| {
                let title = headings
                    .iter()
                    .find(|heading| heading.group == group)
                    .map(|heading| heading.text.trim().to_owned());
                TagGroup::new(Tag::Hn(level, title))
            };
            match role {
                Role::Title => tree.push(filled(heading(NonZeroU16::MIN))),
                Role::Heading => tree.push(filled(heading(NonZeroU16::MIN.saturating_add(1)))),
                Role::Paragraph => tree.push(filled(TagGroup::new(Tag::P))),
                Role::Figure(alt) => {
                    tree.push(filled(TagGroup::new(Tag::Figure(Some(alt.clone())))));
                }
                Role::Item => {
                    let mut item = TagGroup::new(Tag::LI);
                    item.push(filled(TagGroup::new(Tag::LBody)));
                    list.get_or_insert_with(|| TagGroup::new(Tag::L(ListNumbering::Disc)))
                        .push(item);
                }
            }
        }
        if let Some(done) = list {
            tree.push(done);
        }
        tree
    }
}
