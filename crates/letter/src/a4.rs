//! The letter on A4. The decision stands at the top in words; what follows is
//! why, what the customer receives, and where to go from here.

use crate::density::{DENSITIES, Density};
use crate::draft::{Draft, Group, put};
use crate::letter::Letter;
use crate::page::{Composition, Frame, Page, Role, paginate};
use crate::texts::Texts;
use crate::typeset::{Align, Ink, Look, Typesetter};

/// A4 in points (ISO 216: 210 by 297 mm).
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
/// From the paper's side edges: 24 mm.
const SIDE: f32 = 68.0;
const TOP: f32 = 46.0;
/// On pages after the first, under their running head.
const NEXT_TOP: f32 = 80.0;
const BOTTOM: f32 = HEIGHT - 70.0;
const FOOT: f32 = HEIGHT - 55.0;
/// Nothing is drawn nearer to any edge than this: what common printers leave white.
const MARGIN: f32 = 36.0;
/// The square of the QR code: a good 25 mm.
const QR: f32 = 72.0;
/// Ends a list's mark and begins its text.
const ITEM: f32 = 14.0;
/// The labels beside the QR code.
const ROW: f32 = 58.0;

const fn look(size: f32, leading: f32) -> Look {
    Look {
        size,
        leading,
        bold: false,
        ink: Ink::Text,
        align: Align::Left,
        justified: false,
    }
}

const fn soft(size: f32, leading: f32) -> Look {
    Look {
        ink: Ink::Soft,
        ..look(size, leading)
    }
}

const fn strong(size: f32, leading: f32) -> Look {
    Look {
        bold: true,
        ..look(size, leading)
    }
}

const LABEL: Look = soft(8.5, 12.0);
const VALUE: Look = look(10.0, 14.5);
const FOOTER: Look = soft(7.5, 10.5);

/// A last page filled less than this is not worth the paper if the text can
/// stand a little closer instead.
const WORTH_A_PAGE: f32 = 0.5;

/// Lays the letter out. One that would end on a page of a few lines stands
/// closer and ends on the page before, where that is possible.
pub fn compose(letter: &Letter, texts: &'static Texts, typesetter: &mut Typesetter) -> Composition {
    let [usual, closer @ ..] = DENSITIES;
    let mut composition = laid_out(letter, texts, typesetter, usual);
    let all = composition.pages.len();
    if all > 1 && filled(&composition) < WORTH_A_PAGE {
        let mut tried = closer
            .into_iter()
            .map(|density| laid_out(letter, texts, typesetter, density));
        if let Some(shorter) = tried.find(|tried| tried.pages.len() < all) {
            composition = shorter;
        }
    }
    let all = composition.pages.len();
    for (at, page) in composition.pages.iter_mut().enumerate() {
        if at > 0 {
            running_head(page, letter, typesetter);
        }
        footer(page, letter, texts, typesetter, (at + 1, all));
    }
    composition
}

/// How much of the last page has text, before its head and foot are put there.
fn filled(composition: &Composition) -> f32 {
    let marks = composition.pages.last().map(|page| page.marks.as_slice());
    let ends = marks
        .unwrap_or_default()
        .iter()
        .map(|placed| placed.bounds().3);
    (ends.fold(NEXT_TOP, f32::max) - NEXT_TOP) / (BOTTOM - NEXT_TOP)
}

fn laid_out(
    letter: &Letter,
    texts: &'static Texts,
    typesetter: &mut Typesetter,
    density: Density,
) -> Composition {
    let mut draft = Draft {
        letter,
        texts,
        typesetter,
        composition: Composition {
            margin: MARGIN,
            ..Composition::default()
        },
        blocks: Vec::new(),
        x: SIDE,
        width: WIDTH - 2.0 * SIDE,
        scale: density.scale,
    };
    let (justified, ragged) = density.leading;
    let body = Look {
        justified: texts.justified,
        ..look(
            density.size,
            if texts.justified { justified } else { ragged },
        )
    };
    draft.head();
    draft.greeting(body);
    draft.verdict();
    draft.account(body);
    draft.next_level(body);
    draft.signature();
    for block in &mut draft.blocks {
        block.before *= density.gaps;
    }
    let mut composition = draft.composition;
    composition.pages = paginate(
        draft.blocks,
        Frame {
            width: WIDTH,
            height: HEIGHT,
            first_top: TOP,
            top: NEXT_TOP,
            bottom: BOTTOM,
        },
    );
    composition
}

impl Draft<'_> {
    /// Who writes, what it is, and the numbers it goes by.
    fn head(&mut self) {
        let mut group = Group::default();
        let name = Look {
            ink: Ink::Accent,
            ..strong(15.0, 20.0)
        };
        let organisation = self.letter.organisation.clone();
        let y = self.write(
            &mut group,
            (SIDE, 0.0),
            self.width,
            &Role::Paragraph,
            &organisation,
            name,
        ) + 8.0;
        group.fill(SIDE, y + 1.4, self.width, 0.6, Ink::Line);
        group.fill(SIDE, y, 64.0, 2.0, Ink::Accent);
        let title = match self.letter.decision {
            Some(_) => self.texts.answer_title,
            None => self.texts.summary_title,
        };
        let y = self.write(
            &mut group,
            (SIDE, y + 17.0),
            self.width,
            &Role::Title,
            title,
            strong(20.0, 26.0),
        );
        self.references(&mut group, y + 9.0);
        self.fixed(group, 0.0);
    }

    fn references(&mut self, group: &mut Group, top: f32) {
        let letter = self.letter;
        let mut facts = vec![
            (self.texts.reference, letter.reference.clone(), 0.34),
            (self.texts.date, (self.texts.date_of)(letter.dated), 0.24),
            (self.texts.branch, letter.branch.clone(), 0.42),
        ];
        if letter.cycle > 1 {
            let cycle = (self.texts.nth_cycle)(letter.cycle);
            facts = vec![
                (facts[0].0, facts[0].1.clone(), 0.34),
                (facts[1].0, facts[1].1.clone(), 0.22),
                (self.texts.cycle, cycle, 0.12),
                (facts[2].0, facts[2].1.clone(), 0.32),
            ];
        }
        let mut x = SIDE;
        let mut end = top;
        for (label, value, share) in facts {
            let width = self.width * share;
            let y = self.write(
                group,
                (x, top),
                width - 10.0,
                &Role::Paragraph,
                label,
                LABEL,
            );
            let y = self.write(group, (x, y), width - 10.0, &Role::Paragraph, &value, VALUE);
            end = end.max(y);
            x += width;
        }
        group.fill(SIDE, end + 9.0, self.width, 0.6, Ink::Line);
    }

    fn greeting(&mut self, body: Look) {
        let dear = match &self.letter.customer {
            Some(name) => (self.texts.dear)(name),
            None => self.texts.dear_customer.to_owned(),
        };
        self.prose(&Role::Paragraph, &dear, strong(10.5, 17.0), 15.0, 0.0);
        self.keep();
        let opening = match self.letter.decision {
            Some(_) => self.texts.answer_opening,
            None => self.texts.summary_opening,
        };
        self.prose(&Role::Paragraph, opening, body, 6.0, 6.0);
        self.keep();
    }

    /// The decision, and the amount beside it.
    fn verdict(&mut self) {
        let pad = 16.0 * self.scale;
        let mut group = Group::default();
        let decided = self.texts.decided(self.letter.decision);
        let label = match self.letter.decision {
            Some(_) => self.texts.decision,
            None => self.texts.outcome,
        };
        let paid = self.letter.amount.map(|money| self.texts.sum(money));
        let column = if paid.is_some() { 150.0 } else { 0.0 };
        let width = self.width - 2.0 * pad - column;
        let left = SIDE + pad + 2.0;
        let y = self.write(
            &mut group,
            (left, pad - 3.0),
            width,
            &Role::Paragraph,
            label,
            LABEL,
        );
        let big = Look {
            ink: Ink::Accent,
            ..strong(17.0, 25.0)
        };
        let mut end = self.write(
            &mut group,
            (left, y + 1.0),
            width,
            &Role::Paragraph,
            decided,
            big,
        );
        if let Some(paid) = paid {
            let x = SIDE + self.width - pad - column;
            let right = |look: Look| Look {
                align: Align::Right,
                ..look
            };
            let y = self.write(
                &mut group,
                (x, pad - 3.0),
                column,
                &Role::Paragraph,
                self.texts.amount,
                right(LABEL),
            );
            let y = self.write(
                &mut group,
                (x, y + 1.0),
                column,
                &Role::Paragraph,
                &paid,
                right(Look {
                    ink: Ink::Text,
                    ..big
                }),
            );
            end = end.max(y);
        }
        let height = end + pad - 4.0;
        let mut panel = Group::default();
        panel.fill(SIDE, 0.0, self.width, height, Ink::Tint);
        panel.fill(SIDE, 0.0, 4.0, height, Ink::Accent);
        panel.marks.append(&mut group.marks);
        self.fixed(panel, 14.0);
    }

    /// Why, what was found, what the customer receives, what was put right,
    /// what comes next.
    fn account(&mut self, body: Look) {
        let letter = self.letter;
        let texts = self.texts;
        let sections = match letter.decision {
            Some(_) => [
                (texts.reasons, &letter.reasons),
                (texts.text, &letter.text),
                (texts.remedy, &letter.remedy),
            ],
            None => [
                (texts.summary, &letter.text),
                (texts.reasons, &letter.reasons),
                (texts.remedy, &letter.remedy),
            ],
        };
        for (heading, text) in sections {
            self.section(heading, text, body);
        }
        if !letter.measures.is_empty() {
            self.heading(texts.measures);
            for measure in &letter.measures {
                self.item(measure, body, Ink::Accent, ITEM, 3.0);
            }
        }
        self.section(texts.next, texts.next_text, body);
    }

    fn heading(&mut self, text: &str) {
        let look = Look {
            ink: Ink::Accent,
            ..strong(11.5 * self.scale.max(0.92), 16.0 * self.scale)
        };
        self.prose(&Role::Heading, text, look, 12.0, 0.0);
        self.keep();
    }

    fn section(&mut self, heading: &str, text: &str, body: Look) {
        if text.trim().is_empty() {
            return;
        }
        self.heading(heading);
        self.prose(&Role::Paragraph, text, body, 3.0, 6.0);
    }

    /// Where to go with it, until when, and the code that leads there.
    fn next_level(&mut self, body: Look) {
        let letter = self.letter;
        let texts = self.texts;
        self.heading(texts.dissatisfied);
        let (between, first) = (4.0, 4.0);
        self.prose(&Role::Paragraph, texts.dissatisfied_text, body, first, 0.0);
        self.keep();
        let firm = Look {
            justified: body.justified,
            ..strong(body.size, body.leading)
        };
        self.prose(&Role::Paragraph, &letter.next_level, firm, between, between);
        self.keep();
        let until = letter
            .next_level_until
            .map(texts.date_of)
            .unwrap_or_default();

        let mut group = Group::default();
        group.fill(SIDE, 0.0, self.width, 0.6, Ink::Line);
        let top = 11.0;
        let width = self.width - QR - 22.0;
        let mut y = top - 2.0;
        let small = soft(8.5, 12.0);
        let row = 16.0 * self.scale;
        let online = match letter.has_page() {
            true => (texts.online, texts.scan, letter.link.clone()),
            false => (texts.reference, texts.scan_number, String::new()),
        };
        for (label, value, look, gap) in [
            (
                texts.until,
                (texts.until_day)(&until),
                strong(10.5, row),
                3.0,
            ),
            (texts.contact, letter.contact.clone(), look(10.0, row), 3.0),
            (online.0, online.1.to_owned(), look(10.0, row), 0.0),
            ("", online.2.clone(), small, 0.0),
        ] {
            let role = Role::Paragraph;
            let (left, width) = (SIDE + ROW, width - ROW);
            let label_look = soft(8.5, row);
            self.write(&mut group, (SIDE, y), ROW, &role, label, label_look);
            y = self.write(&mut group, (left, y), width, &role, &value, look) + gap;
        }
        let x = SIDE + self.width - QR;
        self.qr(&mut group, (x, top), QR, Ink::Text);
        let end = group.height;
        group.fill(SIDE, end + 8.0, self.width, 0.6, Ink::Line);
        self.fixed(group, 10.0);
        self.keep();
    }

    fn signature(&mut self) {
        let mut group = Group::default();
        let right = |look: Look| Look {
            align: Align::Right,
            ..look
        };
        let organisation = self.letter.organisation.clone();
        let y = self.write(
            &mut group,
            (SIDE, 0.0),
            self.width,
            &Role::Paragraph,
            &organisation,
            right(strong(10.5, 16.0)),
        );
        let dated = (self.texts.date_of)(self.letter.dated);
        self.write(
            &mut group,
            (SIDE, y),
            self.width,
            &Role::Paragraph,
            &dated,
            right(look(10.5, 16.0)),
        );
        self.fixed(group, 11.0);
    }
}

/// Says at the head of a further page whose letter it is.
fn running_head(page: &mut Page, letter: &Letter, typesetter: &mut Typesetter) {
    let mut group = Group::default();
    let width = WIDTH - 2.0 * SIDE;
    let right = Look {
        align: Align::Right,
        ..LABEL
    };
    let half = width / 2.0 - 8.0;
    for (x, text, look) in [
        (SIDE, &letter.organisation, LABEL),
        (SIDE + width - half, &letter.reference, right),
    ] {
        // Its first line: the whole name is on the first page.
        let line = typesetter.lines(text, look, half).into_iter().next();
        put(&mut group, x, TOP - 4.0, line.into_iter().collect(), None);
    }
    group.fill(SIDE, TOP + 12.0, width, 0.6, Ink::Line);
    page.marks.append(&mut group.marks);
}

fn footer(
    page: &mut Page,
    letter: &Letter,
    texts: &Texts,
    typesetter: &mut Typesetter,
    (number, all): (usize, usize),
) {
    let mut group = Group::default();
    let width = WIDTH - 2.0 * SIDE;
    group.fill(SIDE, FOOT - 7.0, width, 0.6, Ink::Line);
    let pager = 70.0;
    let names = format!(
        "{} {} · {} {}",
        texts.reference, letter.reference, texts.document, letter.document
    );
    let mut y = FOOT;
    for text in [names.as_str(), texts.verify] {
        let line = typesetter
            .lines(text, FOOTER, width - pager)
            .into_iter()
            .next();
        y = put(&mut group, SIDE, y, line.into_iter().collect(), None);
    }
    let count = typesetter.lines(
        &(texts.page)(number, all),
        Look {
            align: Align::Right,
            ..FOOTER
        },
        pager,
    );
    put(&mut group, SIDE + width - pager, FOOT, count, None);
    page.marks.append(&mut group.marks);
}
