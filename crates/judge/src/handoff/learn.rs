//! Learning from past complaints, and judging each by what was learned from
//! the others.

use std::collections::BTreeMap;

use suda_domain::Complexity;

use super::fit::{Column, calibration, effects, weights};
use super::model::{HandoffModel, OfBranch, Weight};
use super::{Ground, Judged, Sign, Traits, sigmoid};

/// Below this nothing is said: the rules' word stands.
const LEAST_CASES: usize = 200;
const LEAST_OF_EACH: usize = 30;
/// Cases a sign needs to have a weight of its own.
const LEAST_OF_SIGN: usize = 5;
/// Cases are judged in so many parts, each by what the others taught.
const PARTS: usize = 5;

/// A past complaint no rule had ordered to the centre.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Past<'a> {
    pub traits: Traits<'a>,
    /// What the rules alone say of it.
    pub by_rules: Complexity,
    /// It needed the centre; see [`Handling`](super::Handling).
    pub needed: bool,
}

/// What was learned.
#[derive(Clone, PartialEq, Debug)]
pub struct Learnt {
    pub model: HandoffModel,
    /// Each case, in the order given, by a model that has not seen it.
    pub judged: Vec<Judged>,
    /// Likelihoods of all, also where the model is unsure: for their honesty.
    pub likelihoods: Vec<f64>,
}

/// There is too little to learn from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{cases} cases of which {needed} needed the centre are too few")]
pub struct TooFew {
    pub cases: usize,
    pub needed: usize,
}

/// Learns from past complaints, in any order.
///
/// # Errors
/// [`TooFew`] cases, or too few that needed the centre or that did not.
pub fn learn(past: &[Past<'_>]) -> Result<Learnt, TooFew> {
    let needed = past.iter().filter(|one| one.needed).count();
    let fewest = needed.min(past.len() - needed);
    if past.len() < LEAST_CASES || fewest < LEAST_OF_EACH {
        return Err(TooFew {
            cases: past.len(),
            needed,
        });
    }
    // What each case would have got from the others: sum, and whether sure.
    let mut sums = vec![(0.0, false); past.len()];
    for part in 0..PARTS {
        let others = past.iter().enumerate().filter(|(at, _)| at % PARTS != part);
        let others: Vec<Past<'_>> = others.map(|(_, one)| *one).collect();
        let model = fitted(&others);
        let own = past.iter().zip(&mut sums).skip(part).step_by(PARTS);
        for (one, sum) in own {
            *sum = (model.margin(&one.traits), model.knows(one.traits.category));
        }
    }
    let mut judged = Vec::with_capacity(past.len());
    let mut likelihoods = Vec::with_capacity(past.len());
    // The calibration of a part, too, is learned from the others.
    let by_part: Vec<(f64, f64)> = (0..PARTS)
        .map(|part| calibration(&known(past, &sums, Some(part))))
        .collect();
    for (at, (one, (sum, sure))) in past.iter().zip(&sums).enumerate() {
        let (slope, shift) = by_part.get(at % PARTS).copied().unwrap_or((1.0, 0.0));
        let p = sigmoid(slope * sum + shift);
        likelihoods.push(p);
        judged.push(Judged {
            p: sure.then_some(p),
            by_rules: one.by_rules,
            needed: one.needed,
        });
    }
    let mut model = fitted(past);
    (model.slope, model.shift) = calibration(&known(past, &sums, None));
    model.slope = rounded(model.slope);
    model.shift = rounded(model.shift);
    Ok(Learnt {
        model,
        judged,
        likelihoods,
    })
}

/// Sums with their outcomes, but those of one part.
fn known(past: &[Past<'_>], sums: &[(f64, bool)], without: Option<usize>) -> Vec<(f64, bool)> {
    let all = past.iter().zip(sums).enumerate();
    let others = all.filter(|(at, _)| Some(at % PARTS) != without);
    others
        .map(|(_, (one, (sum, _)))| (*sum, one.needed))
        .collect()
}

/// A model before its calibration.
fn fitted(past: &[Past<'_>]) -> HandoffModel {
    let needed: Vec<bool> = past.iter().map(|one| one.needed).collect();
    let mut held: BTreeMap<Sign, Vec<usize>> = BTreeMap::new();
    for (row, one) in past.iter().enumerate() {
        for sign in Sign::of(&one.traits) {
            held.entry(sign).or_default().push(row);
        }
    }
    held.retain(|_, rows| rows.len() >= LEAST_OF_SIGN);
    let (signs, columns): (Vec<Sign>, Vec<Column>) = held
        .into_iter()
        .map(|(sign, rows)| {
            let only_raises = sign.only_raises();
            (sign, Column { rows, only_raises })
        })
        .unzip();
    let (base, fitted) = weights(&columns, &needed);
    let mut means: BTreeMap<usize, f64> = BTreeMap::new();
    let mut kept = Vec::with_capacity(signs.len());
    for ((sign, column), weight) in signs.into_iter().zip(&columns).zip(fitted) {
        let place = Ground::OF_SIGNS
            .iter()
            .position(|one| *one == sign.ground());
        let share = column.rows.len() as f64 / past.len() as f64;
        *means.entry(place.unwrap_or_default()).or_default() += weight * share;
        kept.push(Weight {
            sign,
            weight: rounded(weight),
            cases: small(column.rows.len()),
            needed: small(among(&column.rows, &needed)),
        });
    }
    let mut model = HandoffModel::new(rounded(base), kept);
    model.means = Ground::OF_SIGNS
        .into_iter()
        .enumerate()
        .filter_map(|(place, ground)| Some((ground, rounded(*means.get(&place)?))))
        .collect();
    model.branches = of_branches(&model, past, &needed);
    model
}

/// How branches differ from all, and then in single categories from themselves.
fn of_branches(
    model: &HandoffModel,
    past: &[Past<'_>],
    needed: &[bool],
) -> BTreeMap<String, OfBranch> {
    let mut margins: Vec<f64> = past.iter().map(|one| model.margin(&one.traits)).collect();
    let (branches, rows) = grouped(past, |traits| (traits.branch, ""));
    let whole = effects(&rows, &mut margins, needed);
    let mut found: BTreeMap<String, OfBranch> = BTreeMap::new();
    for (((branch, _), rows), effect) in branches.into_iter().zip(&rows).zip(whole) {
        let of = OfBranch {
            cases: small(rows.len()),
            needed: small(among(rows, needed)),
            effect: rounded(effect),
            categories: BTreeMap::new(),
        };
        found.insert(branch.to_owned(), of);
    }
    let (cells, rows) = grouped(past, |traits| (traits.branch, traits.category));
    let single = effects(&rows, &mut margins, needed);
    for ((branch, category), effect) in cells.into_iter().zip(single) {
        /// Less moves a likelihood by half of a hundredth at most.
        const LEAST: f64 = 0.02;
        let of = found.get_mut(branch).filter(|_| effect.abs() >= LEAST);
        if let Some(of) = of {
            of.categories.insert(category.to_owned(), rounded(effect));
        }
    }
    found
}

type Cell<'a> = (&'a str, &'a str);

fn grouped<'a>(
    past: &[Past<'a>],
    by: impl Fn(&Traits<'a>) -> Cell<'a>,
) -> (Vec<Cell<'a>>, Vec<Vec<usize>>) {
    let mut groups: BTreeMap<Cell<'a>, Vec<usize>> = BTreeMap::new();
    for (row, one) in past.iter().enumerate() {
        groups.entry(by(&one.traits)).or_default().push(row);
    }
    groups.into_iter().unzip()
}

fn among(rows: &[usize], needed: &[bool]) -> usize {
    let is_needed = |row: &&usize| needed.get(**row).copied().unwrap_or(false);
    rows.iter().filter(is_needed).count()
}

/// To four digits: nothing hangs on more, and it travels to every desk.
fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
