//! From text to lines of glyphs: fonts, both directions of writing, where
//! lines may break. Parley does the work (Unicode's line breaking with the
//! strict rules for Chinese, so that no line begins with a closing mark);
//! here are its fonts, what to do with characters no font has, and how
//! Chinese lines are filled.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use krilla::text::{Font, GlyphId, KrillaGlyph, Tag};
use parley::fontique::{Blob, Collection, CollectionOptions, SourceCache};
use parley::style::{
    FontFamily, FontFamilyName, FontFeatures, FontWeight, LineBreak, LineHeight, OverflowWrap,
    StyleProperty,
};
use parley::{Alignment, FontContext, Layout, LayoutContext};

use crate::clean::{clean, latin_quotes, paragraphs, script_changes};
use crate::texts::Texts;

/// The bytes of one font file and which of its faces is meant.
#[derive(Clone)]
pub struct Face {
    pub data: Arc<dyn AsRef<[u8]> + Send + Sync>,
    pub index: u32,
}

/// What a letter is set in. Which fonts there are is the caller's to find.
#[derive(Clone)]
pub struct Fonts {
    pub regular: Face,
    pub bold: Face,
    /// Asked in this order for what the others lack.
    pub fallbacks: Vec<Face>,
}

/// The fonts given cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a font given for letters cannot be read")]
pub struct UnreadableFont;

/// How a text looks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Look {
    pub size: f32,
    /// From one line to the next.
    pub leading: f32,
    pub bold: bool,
    pub ink: Ink,
    pub align: Align,
    /// Whether full lines are stretched to the whole width.
    pub justified: bool,
}

/// A colour by what it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    Text,
    Soft,
    Accent,
    Line,
    Tint,
    White,
    Black,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    Left,
    Centre,
    Right,
}

/// One line, ready to be placed; distances from its left end and its top.
#[derive(Clone, Debug)]
pub struct Line {
    pub text: String,
    /// Where its ink begins and ends.
    pub left: f32,
    pub right: f32,
    pub height: f32,
    pub baseline: f32,
    pub ink: Ink,
    pub(crate) runs: Vec<Run>,
}

/// Glyphs of one font that follow each other.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub font: usize,
    pub size: f32,
    pub x: f32,
    /// Drawn with an outline, as there is no bold face.
    pub thickened: bool,
    pub glyphs: Vec<KrillaGlyph>,
}

/// Stands where no font has the character, best first.
const STAND_INS: [char; 3] = ['□', '〓', '?'];
/// The gap between Chinese and Latin letters, in ems (W3C clreq: a quarter at most).
const SCRIPT_GAP: f32 = 0.18;
/// A line is stretched only when this many ems at most are missing.
const MOST_STRETCH: f32 = 2.6;
/// And when no gap grows by more ems than this.
const MOST_GAP: f32 = 0.25;

/// Makes lines; remembers the fonts used and the characters none of them had.
pub struct Typesetter {
    fonts: FontContext,
    layouts: LayoutContext<()>,
    regular: Vec<String>,
    bold: Vec<String>,
    texts: &'static Texts,
    stand_in: char,
    used: Vec<Used>,
    unprinted: BTreeSet<char>,
}

struct Used {
    blob: u64,
    index: u32,
    variations: Vec<([u8; 4], f32)>,
    font: Font,
}

impl Typesetter {
    pub fn new(fonts: &Fonts, texts: &'static Texts) -> Result<Self, UnreadableFont> {
        let mut collection = Collection::new(CollectionOptions {
            shared: false,
            system_fonts: false,
        });
        let mut known: Vec<(Face, Vec<(u32, String)>)> = Vec::new();
        let mut family = |face: &Face| {
            let at = match known
                .iter()
                .position(|(other, _)| Arc::ptr_eq(&other.data, &face.data))
            {
                Some(at) => at,
                None => {
                    let found = collection.register_fonts(Blob::new(face.data.clone()), None);
                    let names = found
                        .iter()
                        .flat_map(|(id, faces)| faces.iter().map(|face| (*id, face.index())))
                        .filter_map(|(id, index)| {
                            Some((index, collection.family_name(id)?.to_owned()))
                        })
                        .collect();
                    known.push((face.clone(), names));
                    known.len() - 1
                }
            };
            known
                .get(at)
                .and_then(|(_, names)| names.iter().find(|(index, _)| *index == face.index))
                .map(|(_, name)| name.clone())
                .ok_or(UnreadableFont)
        };
        let regular = family(&fonts.regular)?;
        let bold = family(&fonts.bold)?;
        let others = fonts
            .fallbacks
            .iter()
            .map(family)
            .collect::<Result<Vec<_>, _>>()?;
        let stack = |first: &String| {
            let mut names = vec![first.clone()];
            for name in [&regular, &bold].into_iter().chain(&others) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            names
        };
        let mut made = Self {
            regular: stack(&regular),
            bold: stack(&bold),
            fonts: FontContext {
                collection,
                source_cache: SourceCache::default(),
            },
            layouts: LayoutContext::new(),
            texts,
            stand_in: '?',
            used: Vec::new(),
            unprinted: BTreeSet::new(),
        };
        let plain = Look {
            size: 10.0,
            leading: 12.0,
            bold: false,
            ink: Ink::Text,
            align: Align::Left,
            justified: false,
        };
        for candidate in STAND_INS {
            let text = candidate.to_string();
            let layout = made.layout(&text, plain, 100.0);
            if absent(&layout).is_empty() {
                made.stand_in = candidate;
                break;
            }
        }
        Ok(made)
    }

    /// The lines of a text, one list a paragraph of it, none wider than `width`.
    pub fn paragraphs(&mut self, text: &str, look: Look, width: f32) -> Vec<Vec<Line>> {
        paragraphs(text)
            .map(|paragraph| self.lines(paragraph, look, width))
            .collect()
    }

    /// The lines of a text taken as one paragraph.
    pub fn lines(&mut self, text: &str, look: Look, width: f32) -> Vec<Line> {
        let mut text = clean(text, self.stand_in, &mut self.unprinted);
        let mut layout = self.layout(&text, look, width);
        // Once for the characters themselves; again should a stand-in break
        // up what had belonged together.
        for _ in 0..3 {
            let absent = absent(&layout);
            if absent.is_empty() {
                break;
            }
            text = self.replace(&text, &absent);
            layout = self.layout(&text, look, width);
        }
        let mut lines = self.take_lines(&layout, &text, look, width);
        while lines.len() > 1 && lines.last().is_some_and(|line| line.text.trim().is_empty()) {
            lines.pop();
        }
        lines
    }

    /// Characters that no font had, and stand-ins were printed for.
    pub fn unprinted(&self) -> &BTreeSet<char> {
        &self.unprinted
    }

    pub(crate) fn font(&self, at: usize) -> Option<&Font> {
        self.used.get(at).map(|used| &used.font)
    }

    fn layout(&mut self, text: &str, look: Look, width: f32) -> Layout<()> {
        let names = if look.bold { &self.bold } else { &self.regular };
        let stack: Vec<FontFamilyName<'_>> = names
            .iter()
            .map(|name| FontFamilyName::Named(Cow::Borrowed(name.as_str())))
            .collect();
        let mut builder = self
            .layouts
            .ranged_builder(&mut self.fonts, text, 1.0, false);
        builder.push_default(StyleProperty::FontFamily(FontFamily::List(stack.into())));
        builder.push_default(StyleProperty::FontSize(look.size));
        builder.push_default(StyleProperty::LineHeight(LineHeight::Absolute(
            look.leading,
        )));
        builder.push_default(StyleProperty::LineBreak(LineBreak::Strict));
        builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::Anywhere));
        builder.push_default(StyleProperty::Locale(self.texts.tag.parse().ok()));
        if look.bold {
            builder.push_default(StyleProperty::FontWeight(FontWeight::BOLD));
        }
        for range in script_changes(text) {
            builder.push(StyleProperty::LetterSpacing(look.size * SCRIPT_GAP), range);
        }
        for range in latin_quotes(text, self.texts.narrow_quotes) {
            let narrow = FontFeatures::Source(Cow::Borrowed("\"pwid\" on"));
            builder.push(StyleProperty::FontFeatures(narrow), range);
        }
        builder.set_line_break_override(Some(&|pair| {
            // W3C clreq: nor with the point between two names, of which
            // Unicode's rules say nothing.
            matches!(pair.after, '·' | '‧' | '・').then_some(false)
        }));
        let mut layout = builder.build(text);
        layout.break_all_lines(Some(width));
        let alignment = match look.align {
            Align::Left => Alignment::Left,
            Align::Centre => Alignment::Center,
            Align::Right => Alignment::Right,
        };
        layout.align(alignment, parley::AlignmentOptions::default());
        layout
    }

    /// The text with each range that has no glyph replaced by the stand-in.
    fn replace(&mut self, text: &str, absent: &[Range<usize>]) -> String {
        let mut made = String::with_capacity(text.len());
        let mut from = 0;
        for range in absent {
            if range.start < from {
                continue;
            }
            made.push_str(text.get(from..range.start).unwrap_or_default());
            made.push(self.stand_in);
            let lost = text.get(range.clone()).unwrap_or_default();
            self.unprinted
                .extend(lost.chars().filter(|c| *c != self.stand_in));
            from = range.end;
        }
        made.push_str(text.get(from..).unwrap_or_default());
        made
    }

    fn take_lines(&mut self, layout: &Layout<()>, text: &str, look: Look, width: f32) -> Vec<Line> {
        let last = layout.len().saturating_sub(1);
        let mut lines = Vec::new();
        for (at, line) in layout.lines().enumerate() {
            let metrics = line.metrics();
            let range = line.text_range();
            let spoken = text.get(range.clone()).unwrap_or_default();
            let mut taken = Line {
                text: spoken.to_owned(),
                left: 0.0,
                right: 0.0,
                height: look.leading,
                baseline: metrics.baseline - metrics.block_min_coord,
                ink: look.ink,
                runs: Vec::new(),
            };
            taken.left = metrics.offset + metrics.inline_min_coord;
            let mut x = taken.left;
            for run in line.runs() {
                x = self.take_run(&mut taken, &run, range.start, x);
            }
            let inked = metrics.advance - metrics.hanging_advance;
            taken.right = taken.left + inked;
            let slack = width - inked;
            if look.justified && at != last && slack > 0.0 && slack <= look.size * MOST_STRETCH {
                stretch(&mut taken, slack, look.size * MOST_GAP);
            }
            lines.push(taken);
        }
        lines
    }

    /// Puts a run's glyphs on the line; says where the next one begins.
    fn take_run(
        &mut self,
        line: &mut Line,
        run: &parley::Run<'_, ()>,
        line_starts: usize,
        from: f32,
    ) -> f32 {
        let size = run.font_size();
        let synthesis = run.synthesis();
        let mut glyphs: Vec<KrillaGlyph> = Vec::new();
        let mut x = from;
        for cluster in run.visual_clusters() {
            let range = cluster.text_range();
            let range = range.start - line_starts..range.end - line_starts;
            if cluster.is_ligature_continuation() {
                if let Some(glyph) = glyphs.last_mut() {
                    glyph.text_range.start = glyph.text_range.start.min(range.start);
                    glyph.text_range.end = glyph.text_range.end.max(range.end);
                }
                continue;
            }
            for glyph in cluster.glyphs() {
                glyphs.push(KrillaGlyph::new(
                    GlyphId::new(glyph.id),
                    glyph.advance / size,
                    glyph.x / size,
                    glyph.y / size,
                    0.0,
                    range.clone(),
                    None,
                ));
                x += glyph.advance;
            }
        }
        let variations = synthesis
            .variation_settings()
            .iter()
            .map(|(tag, value)| (tag.into_bytes(), *value))
            .collect();
        if let Some(font) = self.used_font(run.font(), variations) {
            line.runs.push(Run {
                font,
                size,
                x: from,
                thickened: synthesis.embolden(),
                glyphs,
            });
        }
        x
    }

    /// The font's place among those used. Absent when the writer of PDF cannot
    /// read what the shaper could, which `Typesetter::new` would have met.
    fn used_font(
        &mut self,
        font: &parley::FontData,
        variations: Vec<([u8; 4], f32)>,
    ) -> Option<usize> {
        let blob = font.data.id();
        let known = self.used.iter().position(|used| {
            used.blob == blob && used.index == font.index && used.variations == variations
        });
        if known.is_some() {
            return known;
        }
        let (data, _) = font.data.clone().into_raw_parts();
        let coordinates: Vec<(Tag, f32)> = variations
            .iter()
            .map(|(tag, value)| (Tag::new(tag), *value))
            .collect();
        let made = Font::new_variable(data.into(), font.index, &coordinates)?;
        self.used.push(Used {
            blob,
            index: font.index,
            variations,
            font: made,
        });
        Some(self.used.len() - 1)
    }
}

impl Line {
    /// Puts a list's mark before the line, `by` to the left of it.
    pub fn lead(&mut self, mark: Line, by: f32) {
        let shift = mark.text.len() + 1;
        self.text = format!("{} {}", mark.text, self.text);
        for glyph in self.runs.iter_mut().flat_map(|run| &mut run.glyphs) {
            glyph.text_range = glyph.text_range.start + shift..glyph.text_range.end + shift;
        }
        let marks = mark.runs.into_iter().map(|run| Run {
            x: run.x - by,
            ..run
        });
        self.runs.splice(0..0, marks);
        self.left -= by;
    }
}

/// What of the text no font has a glyph for.
fn absent(layout: &Layout<()>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = layout
        .lines()
        .flat_map(|line| line.runs().collect::<Vec<_>>())
        .flat_map(|run| run.clusters().collect::<Vec<_>>())
        .filter(|cluster| cluster.glyphs().any(|glyph| glyph.id == 0))
        .map(|cluster| cluster.text_range())
        .collect();
    ranges.sort_unstable_by_key(|range| range.start);
    ranges
}

/// Widens the gaps beside Chinese characters, and the spaces, until the line
/// is full.
fn stretch(line: &mut Line, slack: f32, most: f32) {
    let spoken = line.text.trim_end().len();
    let text = line.text.clone();
    let widens = |glyph: &KrillaGlyph| {
        glyph.text_range.end < spoken
            && text
                .get(glyph.text_range.clone())
                .and_then(|part| part.chars().last())
                .is_some_and(|c| c == ' ' || c >= '\u{2e80}')
    };
    let gaps = line
        .runs
        .iter()
        .flat_map(|run| &run.glyphs)
        .filter(|glyph| widens(glyph))
        .count();
    let each = slack / gaps.max(1) as f32;
    if gaps == 0 || each > most {
        return;
    }
    let mut shift = 0.0;
    for run in &mut line.runs {
        run.x += shift;
        for glyph in &mut run.glyphs {
            if widens(glyph) {
                glyph.x_advance += each / run.size;
                shift += each;
            }
        }
    }
    line.right += slack;
}
