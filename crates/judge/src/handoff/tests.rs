//! There is no public data that says which complaints a branch could have
//! settled, so a city is made up whose truth is known: every complaint has a
//! likelihood of its own, and chance decides by it.

use std::fmt::Write as _;

use proptest::prelude::*;
use suda_domain::intake::Channel;
use suda_domain::policy::MOST_MISSED_COSTS;
use suda_domain::{Complexity, Grade};

use super::*;
use crate::suggest::{Case, suggest};
use crate::{RuleSet, TELECOM};

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() * most as f64) as usize
    }

    /// About nothing, with this deviation.
    fn normal(&mut self, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.next()).sum();
        (sum - 6.0) * deviation
    }
}

/// Categories, branches and their truth.
struct City {
    leaves: Vec<(String, f64, i64)>,
    branches: Vec<(String, f64)>,
    /// How a branch differs in one category beside that.
    cells: Vec<Vec<f64>>,
}

struct Made {
    category: String,
    branch: String,
    amount: Option<i64>,
    limit: i64,
    earlier: u32,
    group: usize,
    channel: Channel,
    grade: Grade,
    truth: f64,
    needed: bool,
}

impl Made {
    fn traits(&self) -> Traits<'_> {
        Traits {
            category: &self.category,
            grade: self.grade,
            amount_minor: self.amount,
            limit_minor: self.limit,
            earlier: self.earlier,
            group_size: self.group,
            channel: Some(self.channel),
            branch: &self.branch,
        }
    }

    fn past(&self) -> Past<'_> {
        Past {
            traits: self.traits(),
            by_rules: Complexity::Simple,
            needed: self.needed,
        }
    }
}

impl City {
    fn new(chance: &mut Chance) -> Self {
        let mut leaves = Vec::new();
        for top in 0..7 {
            let of_top = chance.normal(0.8) - 1.2;
            for middle in 0..3 {
                let of_middle = of_top + chance.normal(0.7);
                for leaf in 0..3 {
                    let code = format!("T{top}.{middle:02}.{leaf:02}");
                    let limit = [5_000, 20_000, 50_000][chance.below(3)];
                    leaves.push((code, of_middle + chance.normal(0.7), limit));
                }
            }
        }
        let branches = (0..60).map(|number| (format!("B{number:04}"), chance.normal(0.6)));
        let branches: Vec<(String, f64)> = branches.collect();
        let cells = branches.iter();
        let cells = cells.map(|_| leaves.iter().map(|_| chance.normal(0.4)).collect());
        let cells = cells.collect();
        Self {
            leaves,
            branches,
            cells,
        }
    }

    fn make(&self, chance: &mut Chance) -> Made {
        // Few categories and branches have most of the complaints.
        let skewed = |chance: &mut Chance, most: usize| {
            ((chance.next() * chance.next()) * most as f64) as usize
        };
        let leaf = skewed(chance, self.leaves.len());
        let branch = skewed(chance, self.branches.len());
        let (category, of_category, limit) = &self.leaves[leaf];
        let amount = (chance.next() < 0.6).then(|| (10_000.0 * chance.normal(1.3).exp()) as i64);
        let earlier = [0, 0, 0, 0, 0, 1, 1, 2, 3][chance.below(9)];
        let group = usize::from(chance.next() < 0.02);
        let channel = [Channel::WalkIn, Channel::WalkIn, Channel::Hotline][chance.below(3)];
        let grade = [Grade::Three, Grade::Three, Grade::Three, Grade::Two][chance.below(4)];
        let of_amount = amount.map_or(0.0, |amount| {
            let over = if amount > *limit { 1.1 } else { 0.0 };
            over + 0.25 * (amount as f64 / 10_000.0).max(0.1).ln()
        });
        let mut margin = of_category + self.branches[branch].1 + self.cells[branch][leaf];
        margin += of_amount + 0.5 * f64::from(earlier) + 1.5 * group as f64;
        margin += if grade == Grade::Two { 0.9 } else { 0.0 };
        margin -= if channel == Channel::Hotline {
            0.3
        } else {
            0.0
        };
        let truth = sigmoid(margin);
        Made {
            category: category.clone(),
            branch: self.branches[branch].0.clone(),
            amount,
            limit: *limit,
            earlier,
            group,
            channel,
            grade,
            truth,
            needed: chance.next() < truth,
        }
    }
}

fn city(seed: u64, past: usize, later: usize) -> (Vec<Made>, Vec<Made>) {
    let mut chance = Chance(seed);
    let city = City::new(&mut chance);
    let mut make =
        |count: usize| -> Vec<Made> { (0..count).map(|_| city.make(&mut chance)).collect() };
    (make(past), make(later))
}

fn learnt(past: &[Made]) -> Learnt {
    let past: Vec<Past<'_>> = past.iter().map(Made::past).collect();
    learn(&past).unwrap()
}

/// What deciding by likelihoods from a line on costs on average, by the truth.
fn cost(later: &[Made], said: &[f64], line: f64, times: u32) -> f64 {
    let of = |(one, p): (&Made, &f64)| match *p >= line {
        true => 1.0 - one.truth,
        false => f64::from(times) * one.truth,
    };
    later.iter().zip(said).map(of).sum::<f64>() / later.len() as f64
}

/// The mean distance of what is said from the truth, over ten bins.
fn dishonesty(later: &[Made], said: &[f64]) -> f64 {
    let mut bins = [(0.0, 0.0); 10];
    for (one, p) in later.iter().zip(said) {
        let bin = &mut bins[((p * 10.0) as usize).min(9)];
        bin.0 += p;
        bin.1 += f64::from(u8::from(one.needed));
    }
    let apart = bins
        .iter()
        .map(|(said, was): &(f64, f64)| (said - was).abs());
    apart.sum::<f64>() / later.len() as f64
}

#[test]
fn likelihoods_are_honest_and_the_line_is_about_the_cheapest_there_is() {
    let mut table = String::new();
    for (seed, size) in [(1, 2_000), (2, 5_000), (3, 20_000)] {
        let (past, later) = city(seed, size, 20_000);
        let learnt = learnt(&past);
        let traits: Vec<Traits<'_>> = later.iter().map(Made::traits).collect();
        let said = traits.iter().map(|one| learnt.model.likelihood(one));
        let said: Vec<f64> = said.collect();
        let off = dishonesty(&later, &said);
        let folded = dishonesty(&past, &learnt.likelihoods);
        writeln!(
            table,
            "{size} past: calibration error {off:.4}, cross-fitted {folded:.4}"
        )
        .unwrap();
        assert!(off <= 0.05 && folded <= 0.05, "{table}");
        for times in [1, 2, 4, 9, 19] {
            let own = cost(&later, &said, threshold(times), times);
            let lines = (0..=200).map(|line| f64::from(line) / 200.0);
            let all = lines.map(|line| cost(&later, &said, line, times));
            let best = all.fold(f64::INFINITY, f64::min);
            let truth: Vec<f64> = later.iter().map(|one| one.truth).collect();
            let least = cost(&later, &truth, threshold(times), times);
            let (none, all) = (
                cost(&later, &said, 2.0, times),
                cost(&later, &said, 0.0, times),
            );
            writeln!(
                table,
                "  1:{times} costs {own:.4}, best line {best:.4}, knowing the truth {least:.4}, \
                 all kept {none:.4}, all handed off {all:.4}",
            )
            .unwrap();
            assert!(own <= best * 1.05, "{table}");
            assert!(own <= none.min(all) + 1e-9, "{table}");
        }
    }
    println!("{table}");
}

#[test]
fn a_dearer_missed_handoff_only_adds_handoffs() {
    let (past, _) = city(4, 3_000, 0);
    let learnt = learnt(&past);
    let mut before: Option<Vec<bool>> = None;
    for times in 1..=MOST_MISSED_COSTS {
        let decided = learnt.judged.iter().map(|one| one.is_handed_off(times));
        let decided: Vec<bool> = decided.collect();
        if let Some(before) = before {
            let lost = before.iter().zip(&decided).any(|(was, is)| *was && !is);
            assert!(!lost, "{times}");
        }
        before = Some(decided);
    }
    let curve = curve(&learnt.judged);
    assert_eq!(curve.len(), 100);
    assert!(curve.is_sorted_by(|a, b| a.missed >= b.missed && a.wrong <= b.wrong));
    assert_eq!(curve[3], course(&learnt.judged, 4));
    assert!(curve[0].missed > curve[99].missed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Chance in few cases never teaches that more money is simpler.
    #[test]
    fn more_money_a_lower_limit_and_more_complaints_never_make_it_simpler(
        seed in 0u64..8, amount in 0i64..2_000_000, more in 0i64..2_000_000,
        limit in 0i64..100_000, lower in 0i64..100_000, earlier in 0u32..5, again in 0u32..5,
        at in 0usize..300,
    ) {
        let (past, _) = city(seed, 300, 0);
        let made: Vec<Past<'_>> = past.iter().map(Made::past).collect();
        let Ok(learnt) = learn(&made) else { return Ok(()); };
        let one = Traits {
            amount_minor: Some(amount),
            limit_minor: limit,
            earlier,
            ..past[at].traits()
        };
        let p = learnt.model.likelihood(&one);
        let dearer = Traits { amount_minor: Some(amount + more), ..one };
        let tighter = Traits { limit_minor: limit.saturating_sub(lower), ..one };
        let oftener = Traits { earlier: earlier + again, ..one };
        for other in [dearer, tighter, oftener] {
            prop_assert!(learnt.model.likelihood(&other) >= p - 1e-12, "{other:?}");
        }
    }
}

#[test]
fn with_few_cases_nothing_is_learned_and_of_unknown_categories_nothing_is_said() {
    let (past, _) = city(5, 4_000, 0);
    let made: Vec<Past<'_>> = past.iter().map(Made::past).collect();
    assert!(learn(&made[..199]).is_err());
    let simple = |one: &&Past<'_>| !one.needed;
    let simple: Vec<Past<'_>> = made.iter().filter(simple).copied().collect();
    assert_eq!(learn(&simple).unwrap_err().needed, 0);
    assert!(learn(&[]).is_err());
    let learnt = learn(&made).unwrap();
    assert!(learnt.model.knows(made[0].traits.category));
    assert!(!learnt.model.knows("T9.00.00") && !learnt.model.knows(""));
}

#[test]
fn a_branch_that_settles_less_is_told_apart_and_one_without_cases_is_as_all() {
    let (mut past, _) = city(6, 6_000, 0);
    for (at, one) in past.iter_mut().enumerate() {
        match at % 30 {
            0 => (one.branch, one.needed) = ("WEAK".into(), true),
            1 => (one.branch, one.needed) = ("STRONG".into(), false),
            // One case tells next to nothing.
            _ if at == 2 => (one.branch, one.needed) = ("ONCE".into(), true),
            _ => {}
        }
    }
    let model = learnt(&past).model;
    let one = past[5].traits();
    let of = |branch| model.likelihood(&Traits { branch, ..one });
    let ordinary = of("NOWHERE");
    assert!(of("WEAK") > ordinary && of("STRONG") < ordinary);
    assert!((of("ONCE") - ordinary).abs() < (of("WEAK") - ordinary).abs() / 2.0);
    assert_eq!(model.of_branch("WEAK"), Some((200, 200)));
    // A desk is given its own branch alone and says the same.
    let own = model.for_branch("WEAK");
    assert_eq!(own.branches.len(), 1);
    assert!(
        (own.likelihood(&Traits {
            branch: "WEAK",
            ..one
        }) - of("WEAK"))
        .abs()
            < 1e-12
    );
}

#[test]
fn a_model_travels_as_it_is_and_a_damaged_or_later_one_is_refused() {
    let (past, _) = city(7, 2_000, 0);
    let model = learnt(&past).model.for_branch("B0001");
    let value = model.to_value().unwrap();
    let size = value.to_string().len();
    assert!(size < 16_384, "{size} bytes for a desk");
    assert_eq!(HandoffModel::from_value(&value).unwrap(), model);
    let damaged = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut other = value.clone();
        change(&mut other);
        HandoffModel::from_value(&other)
    };
    assert!(damaged(&|_| {}).is_ok(), "the control");
    let later = damaged(&|one| one["format"] = 2.into());
    assert!(matches!(later, Err(HandoffModelError::Format { found: 2 })));
    assert!(damaged(&|one| one["weights"] = "x".into()).is_err());
    assert!(damaged(&|one| one["base"] = 1e9.into()).is_err());
    assert!(damaged(&|one| one["slope"] = (-1).into()).is_err());
    let falls = damaged(&|one| {
        let weights = one["weights"].as_array_mut().unwrap();
        let up = weights.iter_mut();
        let mut up = up.filter(|one| one["sign"].get("above_limit").is_some());
        up.next().unwrap()["weight"] = (-1).into();
    });
    assert!(matches!(falls, Err(HandoffModelError::Damaged(_))));
    assert!(HandoffModel::from_value(&serde_json::Value::Null).is_err());
}

/// A model that says the same of all complaints of one category.
fn always(category: &str, needed: usize) -> HandoffModel {
    let traits = Traits {
        category,
        grade: Grade::Three,
        amount_minor: None,
        limit_minor: 0,
        earlier: 0,
        group_size: 0,
        channel: None,
        branch: "B",
    };
    let past: Vec<Past<'_>> = (0..400)
        .map(|at| Past {
            traits,
            by_rules: Complexity::Simple,
            needed: at < needed,
        })
        .collect();
    learn(&past).unwrap().model
}

fn said(description: &str, category: &str, needed: usize, times: u32) -> crate::Suggestion {
    let rules = RuleSet::parse(TELECOM).unwrap();
    let case = Case {
        description,
        category: Some(category),
        ..Case::default()
    };
    let suggestion = suggest(&rules, &case);
    let traits = Traits {
        category,
        grade: suggestion.grade,
        amount_minor: None,
        limit_minor: 0,
        earlier: 0,
        group_size: 0,
        channel: None,
        branch: "B",
    };
    weigh(suggestion, &always(category, needed), &traits, times)
}

#[test]
fn a_simple_rule_is_overruled_by_what_branches_could_not_settle_and_not_a_complex_one() {
    // Bills are simple by rule; of 400 a good third needed the centre.
    let raised = said("账单看不懂", "A.01.01", 150, 4);
    assert_eq!(raised.complexity, Complexity::Complex);
    assert_eq!(raised.complexity_reason, None);
    let trace = raised.trace();
    assert_eq!(
        (trace.complexity, trace.handoff),
        (Complexity::Complex, Some(0))
    );
    let weighed = raised.handoff.unwrap();
    assert!(
        (weighed.p - 0.375).abs() < 0.02 && !weighed.unsure,
        "{weighed:?}"
    );
    // The same where a missed handoff is no dearer than a wrong one.
    let kept = said("账单看不懂", "A.01.01", 150, 1);
    assert_eq!(kept.complexity, Complexity::Simple);
    assert!(kept.complexity_reason.is_some());
    assert_eq!(kept.trace().handoff, None, "the rule decides and is named");
    // Measured by the network department: a rule, and nothing learned is asked.
    let ordered = said("信号不好", "B.02.01", 30, 1);
    assert_eq!(
        (ordered.complexity, ordered.handoff),
        (Complexity::Complex, None)
    );
}

#[test]
fn grade_1_is_complex_whatever_was_learned() {
    let one = said("客户被营业厅掉落的灯砸伤，已送医院抢救", "D.01.01", 30, 1);
    assert_eq!(one.grade, Grade::One);
    assert_eq!((one.complexity, one.handoff), (Complexity::Complex, None));
    // The control: without the danger it is the model that speaks.
    let other = said("排队有点久", "D.01.01", 30, 1);
    assert_eq!(other.complexity, Complexity::Simple);
    assert!(other.handoff.is_some());
}

#[test]
fn where_it_is_unsure_the_rules_stand_and_it_says_so() {
    let rules = RuleSet::parse(TELECOM).unwrap();
    let case = Case {
        category: Some("A.01.01"),
        ..Case::default()
    };
    let suggestion = suggest(&rules, &case);
    let traits = Traits {
        category: "A.01.01",
        grade: Grade::Three,
        amount_minor: None,
        limit_minor: 0,
        earlier: 0,
        group_size: 0,
        channel: None,
        branch: "B",
    };
    let weighed = weigh(suggestion.clone(), &always("E.01.01", 300), &traits, 4);
    assert_eq!(weighed.complexity, suggestion.complexity);
    assert_eq!(weighed.complexity_reason, suggestion.complexity_reason);
    assert!(
        weighed
            .handoff
            .is_some_and(|one| one.unsure && one.because.is_empty())
    );
}

#[test]
fn the_strongest_reasons_come_first_and_speak_for_what_is_proposed() {
    let (past, later) = city(8, 20_000, 200);
    let model = learnt(&past).model;
    let rules = RuleSet::parse(TELECOM).unwrap();
    let (mut complex, mut limits) = (0, 0);
    for one in &later {
        let open = suggest(&rules, &Case::default());
        let said = weigh(open, &model, &one.traits(), 4);
        let weighed = said.handoff.unwrap();
        let is_complex = said.complexity == Complexity::Complex;
        assert_eq!(is_complex, f64::from(weighed.p) >= threshold(4));
        assert!(weighed.because.len() <= 3);
        assert!(weighed.because.iter().all(|one| one.raises == is_complex));
        let category = weighed
            .because
            .iter()
            .find(|one| one.ground == Ground::Category);
        assert!(category.is_none_or(|one| one.cases >= one.needed && one.cases > Some(0)));
        complex += usize::from(is_complex);
        limits += usize::from(
            weighed
                .because
                .iter()
                .any(|one| one.ground == Ground::Limit),
        );
    }
    assert!(
        complex > 20 && complex < 180 && limits > 10,
        "{complex} {limits}"
    );
}

#[test]
fn what_only_a_branch_gave_was_a_wrong_handoff_and_what_came_back_a_missed_one() {
    let limit = 5_000;
    let settled = Handling {
        settled_in_branch: true,
        ended: true,
        ..Handling::default()
    };
    let by_centre = Handling {
        handed_off: true,
        ended: true,
        ..Handling::default()
    };
    let told = |one: Handling| one.needed_centre(limit, false);
    assert_eq!(told(settled), Some(false));
    // Until it is closed the customer may come back.
    let fresh = Handling {
        ended: false,
        ..settled
    };
    assert_eq!(
        (told(fresh), fresh.needed_centre(limit, true)),
        (None, Some(false))
    );
    assert_eq!(
        told(Handling {
            reopened: true,
            ..settled
        }),
        Some(true)
    );
    assert_eq!(
        told(Handling {
            discontent: true,
            ..settled
        }),
        Some(true)
    );
    // The centre sent it back, and the branch settled it.
    assert_eq!(
        told(Handling {
            handed_off: true,
            ..settled
        }),
        Some(false)
    );
    assert_eq!(told(by_centre), Some(false));
    // What the department found stands with the case it was answered with.
    let along = Handling {
        follows: true,
        ..by_centre
    };
    assert_eq!(told(along), None);
    let waiting = Handling {
        ended: false,
        ..by_centre
    };
    assert_eq!(
        (told(waiting), waiting.needed_centre(limit, true)),
        (None, Some(false))
    );
    assert_eq!(
        told(Handling {
            given_minor: limit,
            ..by_centre
        }),
        Some(false)
    );
    assert_eq!(
        told(Handling {
            given_minor: limit + 1,
            ..by_centre
        }),
        Some(true)
    );
    assert_eq!(
        told(Handling {
            department: true,
            ..by_centre
        }),
        Some(true)
    );
    assert_eq!(
        told(Handling {
            management: true,
            ..by_centre
        }),
        Some(true)
    );
    assert_eq!(
        told(Handling {
            grade_one: true,
            ..by_centre
        }),
        Some(true)
    );
}
