//! The arithmetic of learning: weights by penalised likelihood, effects of
//! groups shrunk towards nothing, calibration of sums.

use super::sigmoid;

/// Sweeps over all weights at most, and the step below which they rest.
const SWEEPS: usize = 80;
const REST: f64 = 1e-3;
/// Strength of the penalty: weights are taken to lie about nothing with a
/// deviation of 1 in the logarithm of the odds, which is a factor of 2.7.
const PENALTY: f64 = 1.0;
/// No effect of a group goes beyond this, in the logarithm of the odds.
const MOST_EFFECT: f64 = 3.0;

/// A column of the table: the rows it holds in.
pub struct Column {
    pub rows: Vec<usize>,
    /// Its weight is at least nothing.
    pub only_raises: bool,
}

/// Base and weights that make the outcomes likeliest under the penalty: one
/// weight after the other takes Newton's step, until all rest. The function is
/// convex, so the order does not matter.
pub fn weights(columns: &[Column], needed: &[bool]) -> (f64, Vec<f64>) {
    let rows = needed.len().max(1) as f64;
    let share = needed.iter().filter(|one| **one).count() as f64 / rows;
    let share = share.clamp(0.5 / rows, 1.0 - 0.5 / rows);
    let mut base = (share / (1.0 - share)).ln();
    let mut margins = vec![base; needed.len()];
    let mut weights = vec![0.0; columns.len()];
    for _ in 0..SWEEPS {
        let mut largest: f64 = 0.0;
        let all = 0..needed.len();
        let (slope, bend) = slope_and_bend(&margins, needed, all);
        let step = (-slope / bend.max(f64::EPSILON)).clamp(-1.0, 1.0);
        base += step;
        margins.iter_mut().for_each(|margin| *margin += step);
        largest = largest.max(step.abs());
        for (column, weight) in columns.iter().zip(&mut weights) {
            let (slope, bend) = slope_and_bend(&margins, needed, column.rows.iter().copied());
            let (slope, bend) = (slope + PENALTY * *weight, bend + PENALTY);
            let mut next = *weight + (-slope / bend).clamp(-1.0, 1.0);
            if column.only_raises {
                next = next.max(0.0);
            }
            let step = next - *weight;
            *weight = next;
            largest = largest.max(step.abs());
            for row in &column.rows {
                if let Some(margin) = margins.get_mut(*row) {
                    *margin += step;
                }
            }
        }
        if largest < REST {
            break;
        }
    }
    (base, weights)
}

/// First and second derivative of the loss of these rows.
fn slope_and_bend(
    margins: &[f64],
    needed: &[bool],
    rows: impl Iterator<Item = usize>,
) -> (f64, f64) {
    let mut sums = (0.0, 0.0);
    for row in rows {
        if let (Some(margin), Some(needed)) = (margins.get(row), needed.get(row)) {
            let p = sigmoid(*margin);
            sums.0 += p - f64::from(u8::from(*needed));
            sums.1 += p * (1.0 - p);
        }
    }
    sums
}

/// An effect for each group of rows, shrunk towards nothing by how much groups
/// differ beyond chance: empirical Bayes. The spread between groups is
/// estimated by moments (the expected square of observed less expected is
/// `v + spread · v²`, `v` the variance of chance alone; after DerSimonian and
/// Laird, 1986). Adds the effects to `margins`.
pub fn effects(groups: &[Vec<usize>], margins: &mut [f64], needed: &[bool]) -> Vec<f64> {
    let mut above = 0.0;
    let mut below = 0.0;
    for rows in groups {
        let (slope, chance) = slope_and_bend(margins, needed, rows.iter().copied());
        above += slope * slope - chance;
        below += chance * chance;
    }
    let spread = match below > 0.0 {
        true => above / below,
        false => 0.0,
    };
    if spread <= 0.0 {
        return vec![0.0; groups.len()];
    }
    let effect = |rows: &Vec<usize>| {
        /// Newton's steps; each doubles the digits.
        const STEPS: usize = 6;
        let of = |from: &[f64]| -> Vec<f64> {
            let margins = rows.iter().filter_map(|row| from.get(*row));
            margins.copied().collect()
        };
        let own = of(margins);
        let outcomes: Vec<bool> = rows
            .iter()
            .filter_map(|row| needed.get(*row))
            .copied()
            .collect();
        let mut effect = 0.0_f64;
        for _ in 0..STEPS {
            let moved: Vec<f64> = own.iter().map(|margin| margin + effect).collect();
            let (slope, bend) = slope_and_bend(&moved, &outcomes, 0..moved.len());
            let step = (slope + effect / spread) / (bend + 1.0 / spread);
            effect = (effect - step).clamp(-MOST_EFFECT, MOST_EFFECT);
        }
        effect
    };
    let effects: Vec<f64> = groups.iter().map(effect).collect();
    for (rows, effect) in groups.iter().zip(&effects) {
        for row in rows {
            if let Some(margin) = margins.get_mut(*row) {
                *margin += effect;
            }
        }
    }
    effects
}

/// Slope and shift that make sums honest on cases they were not fitted to
/// (Platt, 1999). The slope is taken to lie about 1, and it never falls.
pub fn calibration(judged: &[(f64, bool)]) -> (f64, f64) {
    const STEPS: usize = 25;
    /// Of the slope about 1, as so many cases' worth.
    const HOLD: f64 = 10.0;
    let (mut slope, mut shift) = (1.0_f64, 0.0_f64);
    for _ in 0..STEPS {
        let (mut by_slope, mut by_shift) = (HOLD * (slope - 1.0), 0.0);
        let (mut aa, mut ab, mut bb) = (HOLD, 0.0, 1e-6);
        for (margin, needed) in judged {
            let p = sigmoid(slope * margin + shift);
            let (off, bend) = (p - f64::from(u8::from(*needed)), p * (1.0 - p));
            by_slope += off * margin;
            by_shift += off;
            aa += bend * margin * margin;
            ab += bend * margin;
            bb += bend;
        }
        let size = aa * bb - ab * ab;
        if size.abs() < f64::EPSILON {
            break;
        }
        slope = (slope - (bb * by_slope - ab * by_shift) / size).clamp(0.2, 3.0);
        shift = (shift - (aa * by_shift - ab * by_slope) / size).clamp(-5.0, 5.0);
    }
    (slope, shift)
}
