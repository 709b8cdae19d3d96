//! The answer on an 80 mm roll: the same parts in short, black on white, one
//! page as tall as what is on it.

use std::ops::{Deref, DerefMut};

use crate::draft::{Draft, Group};
use crate::letter::Letter;
use crate::page::{Composition, Frame, Mark, Placed, Role, height_of, paginate};
use crate::texts::Texts;
use crate::typeset::{Align, Ink, Look, Typesetter};

/// 80 mm in points; thermal heads print 72 mm of it.
const WIDTH: f32 = 226.77;
const SIDE: f32 = 11.34;
const TOP: f32 = 14.0;
const QR: f32 = 108.0;
/// How much of a long text stands here; all of it is in the letter.
const EXCERPT: usize = 320;
const EXCERPT_REMEDY: usize = 800;
const MEASURES: usize = 3;

const fn look(size: f32, leading: f32) -> Look {
    Look {
        size,
        leading,
        bold: false,
        ink: Ink::Black,
        align: Align::Left,
        justified: false,
    }
}

const fn strong(size: f32, leading: f32) -> Look {
    Look {
        bold: true,
        ..look(size, leading)
    }
}

const fn centred(look: Look) -> Look {
    Look {
        align: Align::Centre,
        ..look
    }
}

const BODY: Look = look(10.5, 15.5);
const SMALL: Look = look(8.5, 12.0);

/// Lays the receipt out.
pub fn compose(letter: &Letter, texts: &'static Texts, typesetter: &mut Typesetter) -> Composition {
    let mut roll = Roll(Draft {
        letter,
        texts,
        typesetter,
        composition: Composition {
            margin: SIDE,
            ..Composition::default()
        },
        blocks: Vec::new(),
        x: SIDE,
        width: WIDTH - 2.0 * SIDE,
        scale: 1.0,
    });
    roll.head();
    roll.verdict();
    roll.account();
    roll.next_level();
    roll.foot();
    let Roll(draft) = roll;
    let height = (TOP * 2.0 + height_of(&draft.blocks)).ceil();
    let mut composition = draft.composition;
    composition.pages = paginate(
        draft.blocks,
        Frame {
            width: WIDTH,
            height,
            first_top: TOP,
            top: TOP,
            bottom: height - TOP + 1.0,
        },
    );
    composition
}

/// A draft of the receipt, beside that of the letter.
struct Roll<'a>(Draft<'a>);

impl<'a> Deref for Roll<'a> {
    type Target = Draft<'a>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Roll<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Roll<'_> {
    fn head(&mut self) {
        let letter = self.letter;
        let title = match letter.decision {
            Some(_) => self.texts.answer_title,
            None => self.texts.summary_title,
        };
        let name = centred(strong(12.5, 17.0));
        self.prose(&Role::Paragraph, &letter.organisation, name, 0.0, 0.0);
        self.prose(&Role::Title, title, centred(look(11.0, 15.5)), 1.0, 0.0);
        self.dashes(8.0);
        let mut facts = vec![
            (self.texts.reference, letter.reference.clone()),
            (self.texts.date, (self.texts.date_of)(letter.dated)),
            (self.texts.branch, letter.branch.clone()),
        ];
        if letter.cycle > 1 {
            facts.push((self.texts.cycle, (self.texts.nth_cycle)(letter.cycle)));
        }
        const LABEL: f32 = 52.0;
        for (at, (label, value)) in facts.into_iter().enumerate() {
            let mut row = Group::default();
            let role = Role::Paragraph;
            self.write(&mut row, (SIDE, 1.0), LABEL, &role, label, look(9.0, 14.0));
            let value_look = if at == 0 {
                strong(10.0, 14.0)
            } else {
                look(10.0, 14.0)
            };
            let left = SIDE + LABEL;
            let width = self.width - LABEL;
            self.write(&mut row, (left, 0.0), width, &role, &value, value_look);
            self.fixed(row, if at == 0 { 7.0 } else { 1.0 });
        }
    }

    /// The decision in a frame, and the amount under it.
    fn verdict(&mut self) {
        const PAD: f32 = 10.0;
        let decided = self.texts.decided(self.letter.decision);
        let label = match self.letter.decision {
            Some(_) => self.texts.decision,
            None => self.texts.outcome,
        };
        let mut group = Group::default();
        let role = Role::Paragraph;
        let (x, width) = (SIDE + PAD, self.width - 2.0 * PAD);
        let y = self.write(
            &mut group,
            (x, PAD - 2.0),
            width,
            &role,
            label,
            centred(SMALL),
        );
        let mut end = self.write(
            &mut group,
            (x, y + 1.0),
            width,
            &role,
            decided,
            centred(strong(15.0, 21.0)),
        );
        if let Some(money) = self.letter.amount {
            let paid = format!("{} {}", self.texts.amount, self.texts.sum(money));
            let look = centred(strong(11.5, 17.0));
            end = self.write(&mut group, (x, end + 2.0), width, &role, &paid, look);
        }
        let height = end + PAD - 1.0;
        let frame = Placed {
            x: SIDE,
            y: 0.0,
            mark: Mark::Frame {
                width: self.width,
                height,
                thickness: 1.4,
                ink: Ink::Black,
            },
        };
        group.marks.insert(0, frame);
        group.height = height;
        self.fixed(group, 10.0);
    }

    fn account(&mut self) {
        let letter = self.letter;
        let texts = self.texts;
        let told = match letter.decision {
            Some(_) => texts.text,
            None => texts.summary,
        };
        self.part(texts.reasons, &letter.reasons, EXCERPT);
        self.part(told, &letter.text, EXCERPT);
        self.part(texts.remedy, &letter.remedy, EXCERPT_REMEDY);
        if !letter.measures.is_empty() {
            self.heading_of(texts.measures);
            for measure in letter.measures.iter().take(MEASURES) {
                let short = excerpt(measure, EXCERPT / 2, "…");
                self.item(&short, BODY, Ink::Black, 11.0, 1.0);
            }
            let more = letter.measures.len().saturating_sub(MEASURES);
            if more > 0 {
                let line = (texts.more_measures)(more);
                self.prose(&Role::Paragraph, &line, SMALL, 2.0, 0.0);
            }
        }
    }

    fn heading_of(&mut self, text: &str) {
        self.prose(&Role::Heading, text, strong(10.5, 15.5), 9.0, 0.0);
    }

    fn part(&mut self, heading: &str, text: &str, longest: usize) {
        if text.trim().is_empty() {
            return;
        }
        self.heading_of(heading);
        let text = excerpt(text, longest, self.texts.more);
        self.prose(&Role::Paragraph, &text, BODY, 1.0, 3.0);
    }

    fn next_level(&mut self) {
        let letter = self.letter;
        let texts = self.texts;
        self.heading_of(texts.next);
        self.prose(&Role::Paragraph, texts.next_text, SMALL, 1.0, 0.0);
        self.dashes(10.0);
        self.heading_of(texts.dissatisfied);
        self.prose(&Role::Paragraph, texts.dissatisfied_text, BODY, 1.0, 0.0);
        let level = excerpt(&letter.next_level, EXCERPT_REMEDY, texts.more);
        self.prose(&Role::Paragraph, &level, strong(10.5, 15.5), 1.0, 2.0);
        let until = letter
            .next_level_until
            .map(texts.date_of)
            .unwrap_or_default();
        self.prose(&Role::Paragraph, texts.until, SMALL, 5.0, 0.0);
        let day = (texts.until_day)(&until);
        self.prose(&Role::Paragraph, &day, strong(11.0, 16.0), 0.0, 0.0);
    }

    fn foot(&mut self) {
        let letter = self.letter;
        let texts = self.texts;
        let mut code = Group::default();
        let middle = (WIDTH - QR) / 2.0;
        self.qr(&mut code, (middle, 0.0), QR, Ink::Black);
        self.fixed(code, 14.0);
        let scan = match letter.has_page() {
            true => texts.scan_short,
            false => texts.scan_number,
        };
        self.prose(&Role::Paragraph, scan, centred(SMALL), 6.0, 0.0);
        let contact = (texts.contact_line)(&letter.contact);
        self.prose(&Role::Paragraph, &contact, centred(SMALL), 3.0, 0.0);
        self.dashes(8.0);
        let small = centred(look(7.0, 10.0));
        let document = format!("{} {}", texts.document, letter.document);
        self.prose(&Role::Paragraph, &document, small, 5.0, 0.0);
        self.prose(&Role::Paragraph, texts.verify, small, 0.0, 0.0);
    }

    /// A dashed rule across the roll.
    fn dashes(&mut self, before: f32) {
        const DASH: f32 = 3.0;
        let mut group = Group::default();
        let mut x = SIDE;
        while x + DASH <= SIDE + self.width {
            group.fill(x, 0.0, DASH, 0.7, Ink::Black);
            x += DASH * 2.0;
        }
        self.fixed(group, before);
    }
}

/// The beginning of a text, `longest` Latin letters wide (a Chinese character
/// takes two), and `more` when that is not all. Words of Latin letters stay whole.
fn excerpt(text: &str, longest: usize, more: &str) -> String {
    let text = text.trim();
    let mut wide = 0;
    let cut = text.char_indices().find_map(|(at, c)| {
        wide += if c >= '\u{2e80}' { 2 } else { 1 };
        (wide > longest).then_some(at)
    });
    let Some(end) = cut else {
        return text.to_owned();
    };
    let start = text.get(..end).unwrap_or_default();
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let splits = inside(start.chars().next_back())
        && inside(text.get(end..).unwrap_or_default().chars().next());
    let start = match start.rfind(|c: char| !c.is_ascii_alphanumeric()) {
        Some(gap) if splits => start.get(..gap).unwrap_or(start),
        _ => start,
    };
    format!("{}{more}", start.trim_end())
}
