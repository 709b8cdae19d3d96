//! How well a model does, and whether it may replace another. Pure: cases and
//! models in, figures out.

use std::collections::{BTreeMap, BTreeSet};

use suda_judge::learn::Model;
use suda_judge::{Case, RuleSet, Versioned, propose, suggest};

use super::report::{Bin, Changed, Confused, Figures, Proposing, Share};
use crate::store::learning::ConfirmedCase;

const BINS: usize = 10;
/// Pairs of categories that are kept of a confusion or of changes.
const PAIRS: usize = 400;

/// What a model said of each case, in the order of the cases.
pub struct Said {
    pub category: String,
    p: f32,
    in_top3: bool,
    unsure: bool,
}

/// Asks the model of every case, among the categories the tree has.
pub fn ask(model: &Model, rules: &RuleSet, cases: &[ConfirmedCase]) -> Vec<Said> {
    let one = |case: &ConfirmedCase| {
        let said = model.classify_among(&case.texts(), |label| rules.tree.is_leaf(label));
        let first = said.ranked.first();
        let mut top = said.ranked.iter().take(3);
        Said {
            category: first
                .map(|(label, _)| (*label).to_owned())
                .unwrap_or_default(),
            p: first.map_or(0.0, |(_, p)| *p),
            in_top3: top.any(|(label, _)| *label == case.category),
            unsure: said.unsure,
        }
    };
    cases.iter().map(one).collect()
}

pub fn figures(said: &[Said], cases: &[ConfirmedCase]) -> Figures {
    let both = || said.iter().zip(cases);
    let is_right = |(said, case): &(&Said, &ConfirmedCase)| said.category == case.category;
    let right = both().filter(is_right).count();
    let sure = both().filter(|(said, _)| !said.unsure).count();
    let right_when_sure = both().filter(|(said, _)| !said.unsure).filter(is_right);
    let bins = bins(said, cases);
    let apart = bins
        .iter()
        .map(|bin| f64::from(bin.cases) * (bin.said - bin.right).abs());
    Figures {
        cases: small(said.len()),
        right: small(right),
        accuracy: share(right, said.len()),
        top3: share(said.iter().filter(|one| one.in_top3).count(), said.len()),
        macro_f1: macro_f1(said, cases),
        calibration_error: apart.sum::<f64>() / (said.len().max(1) as f64),
        sure: share(sure, said.len()),
        right_when_sure: share(right_when_sure.count(), sure),
    }
}

pub fn bins(said: &[Said], cases: &[ConfirmedCase]) -> Vec<Bin> {
    let mut bins = vec![Bin::default(); BINS];
    for (said, case) in said.iter().zip(cases) {
        let at = ((said.p * BINS as f32) as usize).min(BINS - 1);
        if let Some(bin) = bins.get_mut(at) {
            bin.cases += 1;
            bin.said += f64::from(said.p);
            bin.right += f64::from(u8::from(said.category == case.category));
        }
    }
    for bin in &mut bins {
        let cases = f64::from(bin.cases.max(1));
        bin.said /= cases;
        bin.right /= cases;
    }
    bins
}

fn macro_f1(said: &[Said], cases: &[ConfirmedCase]) -> f64 {
    // Of each category: rightly said, said, and there.
    let mut counts: BTreeMap<&str, [u32; 3]> = BTreeMap::new();
    for (said, case) in said.iter().zip(cases) {
        if said.category == case.category {
            counts.entry(&case.category).or_default()[0] += 1;
        }
        counts.entry(&said.category).or_default()[1] += 1;
        counts.entry(&case.category).or_default()[2] += 1;
    }
    let f1 = |&[right, said, there]: &[u32; 3]| 2.0 * f64::from(right) / f64::from(said + there);
    counts.values().map(f1).sum::<f64>() / (counts.len().max(1) as f64)
}

pub fn confusion(said: &[Said], cases: &[ConfirmedCase]) -> Vec<Confused> {
    let pairs = said.iter().zip(cases);
    let pairs = pairs.map(|(said, case)| (case.category.as_str(), said.category.as_str()));
    commonest(pairs)
        .map(|((is, said), cases)| Confused {
            is: is.to_owned(),
            said: said.to_owned(),
            cases,
        })
        .collect()
}

/// Where the one says another category than the other.
pub fn changes(before: &[Said], after: &[Said], cases: &[ConfirmedCase]) -> Vec<Changed> {
    let all = before.iter().zip(after).zip(cases);
    let differ = all.filter(|((before, after), _)| before.category != after.category);
    let named = differ.map(|((before, after), case)| {
        let (from, to) = (before.category.as_str(), after.category.as_str());
        (from, to, case.category.as_str())
    });
    commonest(named)
        .map(|((from, to, is), cases)| Changed {
            from: from.to_owned(),
            to: to.to_owned(),
            is: is.to_owned(),
            cases,
        })
        .collect()
}

/// Each with how often it is there, the commonest first.
pub fn commonest<T: Ord>(of: impl Iterator<Item = T>) -> impl Iterator<Item = (T, u32)> {
    let mut counts: BTreeMap<T, u32> = BTreeMap::new();
    for one in of {
        *counts.entry(one).or_default() += 1;
    }
    let mut ordered: Vec<(T, u32)> = counts.into_iter().collect();
    ordered.sort_by_key(|(_, cases)| std::cmp::Reverse(*cases));
    ordered.into_iter().take(PAIRS)
}

/// How common each category was among the one and is among the other.
pub fn shares(before: &[ConfirmedCase], now: &[ConfirmedCase]) -> Vec<Share> {
    let of = |cases: &[ConfirmedCase], category: &str| {
        let there = cases.iter().filter(|case| case.category == category);
        share(there.count(), cases.len())
    };
    let all = before.iter().chain(now).map(|case| case.category.as_str());
    let all: BTreeSet<&str> = all.collect();
    let all = all.into_iter().map(|category| Share {
        category: category.to_owned(),
        before: of(before, category),
        now: of(now, category),
    });
    all.collect()
}

/// What the rules propose without any model.
pub fn of_rules(rules: &RuleSet, cases: &[ConfirmedCase]) -> Proposing {
    proposing(cases, |case| suggest(rules, &judged(case)).category)
}

/// What the desk would propose with this model.
pub fn together(rules: &RuleSet, model: &Model, cases: &[ConfirmedCase]) -> Proposing {
    let known = Versioned { version: 0, model };
    proposing(cases, |case| {
        propose(rules, Some(known), &judged(case)).category
    })
}

fn judged(case: &ConfirmedCase) -> Case<'_> {
    Case {
        description: &case.description,
        remedy_sought: &case.remedy_sought,
        ..Case::default()
    }
}

fn proposing(
    cases: &[ConfirmedCase],
    category: impl Fn(&ConfirmedCase) -> Option<String>,
) -> Proposing {
    let (mut said, mut right) = (0, 0);
    for case in cases {
        if let Some(category) = category(case) {
            said += 1;
            right += usize::from(category == case.category);
        }
    }
    Proposing {
        said: share(said, cases.len()),
        right: share(right, said),
    }
}

/// The share of the commonest category, which is what it costs nothing to say.
pub fn commonest_share(learned: &[ConfirmedCase], held: &[ConfirmedCase]) -> f64 {
    let mut by = commonest(learned.iter().map(|case| case.category.as_str()));
    let Some((category, _)) = by.next() else {
        return 0.0;
    };
    let there = held.iter().filter(|case| case.category == category);
    share(there.count(), held.len())
}

/// Whether a candidate may replace the model in force, both judged on the same
/// cases that neither has learned from: it has to be right as often, and its
/// probabilities have to be as honest. How honest is only known to the standard
/// error of a share, which is at most one over twice the root of the cases.
/// Without a model in force it has to beat saying the commonest category.
pub fn is_not_worse(candidate: &Figures, in_force: Option<&Figures>, commonest: f64) -> bool {
    let slack = 0.5 / f64::from(candidate.cases.max(1)).sqrt();
    match in_force {
        Some(old) => {
            candidate.right >= old.right
                && candidate.calibration_error <= old.calibration_error + slack
        }
        None => candidate.accuracy > commonest,
    }
}

fn share(part: usize, of: usize) -> f64 {
    match of {
        0 => 0.0,
        of => part as f64 / of as f64,
    }
}

/// Cases are bounded far below what a `u32` holds.
pub fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(category: &str) -> ConfirmedCase {
        ConfirmedCase::sample(category, "")
    }

    fn said(category: &str, p: f32) -> Said {
        Said {
            category: category.into(),
            p,
            in_top3: true,
            unsure: p < 0.5,
        }
    }

    fn of(right: u32, calibration_error: f64) -> Figures {
        Figures {
            cases: 100,
            right,
            accuracy: f64::from(right) / 100.0,
            calibration_error,
            ..Figures::default()
        }
    }

    #[test]
    fn one_right_case_less_or_clearly_less_honest_is_worse() {
        let old = of(80, 0.04);
        assert!(is_not_worse(&of(80, 0.04), Some(&old), 0.0));
        assert!(!is_not_worse(&of(79, 0.01), Some(&old), 0.0));
        // 100 cases tell a share to 0.05.
        assert!(is_not_worse(&of(81, 0.08), Some(&old), 0.0));
        assert!(!is_not_worse(&of(90, 0.10), Some(&old), 0.0));
    }

    #[test]
    fn the_first_model_has_to_beat_the_commonest_category() {
        assert!(is_not_worse(&of(41, 0.3), None, 0.40));
        assert!(!is_not_worse(&of(40, 0.0), None, 0.40));
    }

    #[test]
    fn figures_are_those_of_the_definition() {
        let cases = [case("a"), case("a"), case("b"), case("b")];
        let said = [
            said("a", 0.95),
            said("a", 0.95),
            said("a", 0.65),
            said("b", 0.45),
        ];
        let figures = figures(&said, &cases);
        assert_eq!((figures.right, figures.accuracy), (3, 0.75));
        assert_eq!(figures.sure, 0.75);
        assert!((figures.right_when_sure - 2.0 / 3.0).abs() < 1e-9);
        // (0.05 · 2 + 0.65 + 0.55) / 4
        assert!((figures.calibration_error - 0.325).abs() < 1e-6);
        // a: 2·2/(3+2), b: 2·1/(1+2)
        assert!((figures.macro_f1 - (0.8 + 2.0 / 3.0) / 2.0).abs() < 1e-9);
        let confusion = confusion(&said, &cases);
        assert_eq!(confusion.first().map(|one| one.cases), Some(2));
        assert_eq!(confusion.len(), 3);
    }
}
