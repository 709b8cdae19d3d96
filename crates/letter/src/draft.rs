//! A letter while it is being composed: what the A4 page and the receipt build
//! their blocks with.

use crate::letter::Letter;
use crate::page::{Block, Composition, Content, Mark, Placed, Role};
use crate::qr::Modules;
use crate::texts::Texts;
use crate::typeset::{Ink, Line, Look, Typesetter};

pub struct Draft<'a> {
    pub letter: &'a Letter,
    pub texts: &'static Texts,
    pub typesetter: &'a mut Typesetter,
    pub composition: Composition,
    pub blocks: Vec<Block>,
    /// Where the text begins, and how wide it is.
    pub x: f32,
    pub width: f32,
    /// Of the usual height of what stands around the body.
    pub scale: f32,
}

/// The parts of a fixed group; its height is where the lowest ends.
#[derive(Default)]
pub struct Group {
    pub marks: Vec<Placed>,
    pub height: f32,
}

impl Draft<'_> {
    /// A text of any length, paragraph by paragraph.
    pub fn prose(&mut self, role: &Role, text: &str, look: Look, before: f32, between: f32) {
        let indent = 0.0;
        self.prose_at(indent, role, text, look, before, between);
    }

    /// The same, indented.
    pub fn prose_at(
        &mut self,
        indent: f32,
        role: &Role,
        text: &str,
        look: Look,
        before: f32,
        between: f32,
    ) {
        let x = self.x + indent;
        let made = self.typesetter.paragraphs(text, look, self.width - indent);
        for (at, lines) in made.into_iter().enumerate() {
            let group = self.composition.group(role.clone());
            self.blocks.push(Block {
                before: if at == 0 { before } else { between },
                keeps_next: false,
                content: Content::Lines { x, group, lines },
            });
        }
    }

    /// One of a list, its mark in the gap of `indent` before it.
    pub fn item(&mut self, text: &str, look: Look, mark: Ink, indent: f32, before: f32) {
        let from = self.blocks.len();
        self.prose_at(indent, &Role::Item, text, look, before, 2.0);
        let mark = self
            .typesetter
            .lines("•", Look { ink: mark, ..look }, indent);
        if let Some(first) = self.blocks.get_mut(from)
            && let Content::Lines { lines, .. } = &mut first.content
            && let (Some(line), Some(mark)) = (lines.first_mut(), mark.into_iter().next())
        {
            line.lead(mark, indent);
        }
    }

    /// The last block stays with what comes next.
    pub fn keep(&mut self) {
        if let Some(block) = self.blocks.last_mut() {
            block.keeps_next = true;
        }
    }

    pub fn fixed(&mut self, group: Group, before: f32) {
        self.blocks.push(Block {
            before,
            keeps_next: false,
            content: Content::Fixed {
                height: group.height,
                marks: group.marks,
            },
        });
    }

    /// Lines into a fixed group, from `x` (of the page) and `y` (of the group)
    /// on; says where they end.
    pub fn write(
        &mut self,
        into: &mut Group,
        at: (f32, f32),
        width: f32,
        role: &Role,
        text: &str,
        look: Look,
    ) -> f32 {
        let (x, mut y) = at;
        for lines in self.typesetter.paragraphs(text, look, width) {
            let group = Some(self.composition.group(role.clone()));
            y = put(into, x, y, lines, group);
        }
        y
    }

    /// The code, with what it says for those who cannot see it.
    pub fn qr(&mut self, into: &mut Group, at: (f32, f32), side: f32, ink: Ink) {
        let alt = (self.texts.qr_alt)(&self.letter.link);
        if let Some(modules) = Modules::of(&self.letter.link) {
            let group = self.composition.group(Role::Figure(alt));
            into.marks.push(Placed {
                x: at.0,
                y: at.1,
                mark: Mark::Qr {
                    modules,
                    side,
                    group,
                    ink,
                },
            });
            into.height = into.height.max(at.1 + side);
        }
    }
}

/// Puts lines below one another; says where they end.
pub fn put(into: &mut Group, x: f32, mut y: f32, lines: Vec<Line>, group: Option<usize>) -> f32 {
    for line in lines {
        let height = line.height;
        into.marks.push(Placed {
            x,
            y,
            mark: Mark::Text { line, group },
        });
        y += height;
    }
    into.height = into.height.max(y);
    y
}

impl Group {
    pub fn fill(&mut self, x: f32, y: f32, width: f32, height: f32, ink: Ink) {
        self.marks.push(Placed {
            x,
            y,
            mark: Mark::Box { width, height, ink },
        });
        self.height = self.height.max(y + height);
    }
}
