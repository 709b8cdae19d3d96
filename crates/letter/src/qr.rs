//! The QR code of the customer's page, as squares.

use fast_qr::qr::QRBuilder;
use fast_qr::{ECL, QRCode};

/// The dark squares of a code, row by row.
#[derive(Clone, Debug)]
pub struct Modules {
    pub side: usize,
    dark: Vec<bool>,
}

impl Modules {
    /// Absent when the text is longer than a code holds, which
    /// [`Letter::check`](crate::Letter::check) refuses before. Level M: a
    /// stain or a fold on 15 % of it is still read.
    pub fn of(text: &str) -> Option<Self> {
        let code: QRCode = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
        let dark = (0..code.size)
            .flat_map(|y| (0..code.size).map(move |x| (y, x)))
            .map(|(y, x)| code[y][x].value())
            .collect();
        Some(Self {
            side: code.size,
            dark,
        })
    }

    /// Columns and row of each stretch of dark squares: `(from, to, row)`.
    pub fn stretches(&self) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        for (row, squares) in self.dark.chunks(self.side.max(1)).enumerate() {
            let mut from = None;
            for (column, dark) in squares.iter().chain([&false]).enumerate() {
                match (from, dark) {
                    (None, true) => from = Some(column),
                    (Some(start), false) => {
                        found.push((start, column, row));
                        from = None;
                    }
                    _ => {}
                }
            }
        }
        found
    }
}
