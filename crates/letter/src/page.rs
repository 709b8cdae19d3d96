//! From blocks to pages. A block is a paragraph, which may run over the page's
//! end, or a fixed group, which may not. No paragraph leaves one line alone on
//! either side of a break, and a heading stays with what it heads.

use crate::qr::Modules;
use crate::typeset::{Ink, Line};

/// What a piece of text is, for whoever cannot see the page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    Title,
    Heading,
    Paragraph,
    /// One of a list.
    Item,
    /// A picture and what it shows.
    Figure(String),
}

/// Something drawn, from its top left corner.
#[derive(Clone, Debug)]
pub enum Mark {
    /// A line of text; `group` joins the lines of one paragraph, and is absent
    /// for what only belongs to the page (a footer).
    Text {
        line: Line,
        group: Option<usize>,
    },
    Box {
        width: f32,
        height: f32,
        ink: Ink,
    },
    /// An outline, `thickness` wide, inside these bounds.
    Frame {
        width: f32,
        height: f32,
        thickness: f32,
        ink: Ink,
    },
    Qr {
        modules: Modules,
        side: f32,
        group: usize,
        ink: Ink,
    },
}

/// A mark at its place.
#[derive(Clone, Debug)]
pub struct Placed {
    pub x: f32,
    pub y: f32,
    pub mark: Mark,
}

impl Placed {
    /// Left, top, right and bottom of what is drawn.
    pub fn bounds(&self) -> (f32, f32, f32, f32) {
        let (left, right, height) = match &self.mark {
            Mark::Text { line, .. } => (line.left, line.right, line.height),
            Mark::Box { width, height, .. } | Mark::Frame { width, height, .. } => {
                (0.0, *width, *height)
            }
            Mark::Qr { side, .. } => (0.0, *side, *side),
        };
        (self.x + left, self.y, self.x + right, self.y + height)
    }
}

/// One page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub width: f32,
    pub height: f32,
    pub marks: Vec<Placed>,
}

/// A whole document before it is written.
#[derive(Clone, Debug, Default)]
pub struct Composition {
    pub pages: Vec<Page>,
    /// What each group of text is, in reading order.
    pub roles: Vec<Role>,
    /// Inside of which everything is drawn, from each page's edges.
    pub margin: f32,
}

impl Composition {
    /// A new group of text.
    pub fn group(&mut self, role: Role) -> usize {
        self.roles.push(role);
        self.roles.len() - 1
    }
}

/// What follows what down the page.
pub struct Block {
    /// The gap above it; dropped at the head of a page.
    pub before: f32,
    /// Not to be parted from the next block.
    pub keeps_next: bool,
    pub content: Content,
}

pub enum Content {
    Lines {
        x: f32,
        group: usize,
        lines: Vec<Line>,
    },
    Fixed {
        height: f32,
        marks: Vec<Placed>,
    },
}

/// Where text may stand on a page, from its top.
#[derive(Clone, Copy)]
pub struct Frame {
    pub width: f32,
    pub height: f32,
    /// On the first page and on those that follow.
    pub first_top: f32,
    pub top: f32,
    pub bottom: f32,
}

/// The fewest lines of a paragraph on either side of a page's end.
const TOGETHER: usize = 2;

impl Block {
    /// What of it must stand together at its beginning.
    fn head(&self) -> f32 {
        match &self.content {
            Content::Fixed { height, .. } => *height,
            Content::Lines { lines, .. } => {
                let together = if lines.len() <= TOGETHER + 1 {
                    lines.len()
                } else {
                    TOGETHER
                };
                lines.iter().take(together).map(|line| line.height).sum()
            }
        }
    }

    fn height(&self) -> f32 {
        match &self.content {
            Content::Fixed { height, .. } => *height,
            Content::Lines { lines, .. } => lines.iter().map(|line| line.height).sum(),
        }
    }
}

/// The height of the blocks one under the other.
pub fn height_of(blocks: &[Block]) -> f32 {
    blocks
        .iter()
        .map(|block| block.before + block.height())
        .sum()
}

/// Lays the blocks onto as many pages as they need.
pub fn paginate(blocks: Vec<Block>, frame: Frame) -> Vec<Page> {
    let needs: Vec<f32> = (0..blocks.len())
        .map(|at| needed(blocks.get(at..).unwrap_or_default()))
        .collect();
    let mut pages = Pages {
        done: Vec::new(),
        page: frame.blank(),
        y: frame.first_top,
        fresh: true,
        frame,
    };
    for (block, need) in blocks.into_iter().zip(needs) {
        let before = if pages.fresh { 0.0 } else { block.before };
        let fits = pages.y + before + need <= frame.bottom;
        if !fits && !pages.fresh {
            pages.turn();
        } else {
            pages.y += before;
        }
        match block.content {
            Content::Fixed { height, marks } => pages.put_fixed(height, marks),
            Content::Lines { x, group, lines } => pages.put_lines(x, group, lines),
        }
    }
    pages.done.push(pages.page);
    pages.done
}

/// The height that has to be free for the first of the blocks: its beginning,
/// or all of it and the beginning of those it may not be parted from.
fn needed(blocks: &[Block]) -> f32 {
    let mut sum = 0.0;
    for (at, block) in blocks.iter().enumerate() {
        if at > 0 {
            sum += block.before;
        }
        if !block.keeps_next {
            return sum + block.head();
        }
        sum += block.height();
    }
    sum
}

impl Frame {
    fn blank(self) -> Page {
        Page {
            width: self.width,
            height: self.height,
            marks: Vec::new(),
        }
    }
}

struct Pages {
    done: Vec<Page>,
    page: Page,
    y: f32,
    /// Nothing stands on the page yet.
    fresh: bool,
    frame: Frame,
}

impl Pages {
    fn turn(&mut self) {
        let full = std::mem::replace(&mut self.page, self.frame.blank());
        self.done.push(full);
        self.y = self.frame.top;
        self.fresh = true;
    }

    fn put_fixed(&mut self, height: f32, marks: Vec<Placed>) {
        let top = self.y;
        self.page
            .marks
            .extend(marks.into_iter().map(|placed| Placed {
                y: placed.y + top,
                ..placed
            }));
        self.y += height;
        self.fresh = false;
    }

    fn put_lines(&mut self, x: f32, group: usize, mut lines: Vec<Line>) {
        while !lines.is_empty() {
            let mut room = self.frame.bottom - self.y;
            let fitting = lines
                .iter()
                .take_while(|line| {
                    room -= line.height;
                    // Sums of many heights may be off by a hair.
                    room > -0.01
                })
                .count();
            let left = lines.len() - fitting;
            let now = match left {
                0 => fitting,
                _ if left < TOGETHER => fitting.saturating_sub(TOGETHER - left),
                _ => fitting,
            };
            // An empty page takes at least one line, however narrow it is.
            let now = if self.fresh { now.max(1) } else { now };
            let rest = lines.split_off(now.min(lines.len()));
            for line in lines {
                let height = line.height;
                self.page.marks.push(Placed {
                    x,
                    y: self.y,
                    mark: Mark::Text {
                        line,
                        group: Some(group),
                    },
                });
                self.y += height;
                self.fresh = false;
            }
            lines = rest;
            if !lines.is_empty() {
                self.turn();
            }
        }
    }
}
