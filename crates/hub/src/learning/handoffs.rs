//! Learning from past complaints how likely one needs the centre, and what of
//! it goes to each branch. Which complaints are judged, how, and when what was
//! learned is used; the learning itself is the judge's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use suda_domain::guidance::{self, Guidance};
use suda_domain::{BranchCode, Complexity, Policy};
use suda_judge::handoff::{self, Course, HandoffModel, Judged, Learnt, Traits, curve, is_ordered};
use suda_judge::{Case, RuleSet, suggest};

use super::examine::small;
use super::report::{Bin, HandoffDecision, HandoffReport};
use crate::hub::Hub;
use crate::store::StoreError;
use crate::store::learning::{HandledCase, HandoffEffect};

const BINS: usize = 10;
/// Digits a telephone number needs to tell one customer from others, as at the
/// desks.
const SHORTEST_PHONE: usize = 7;

/// What is learned from.
pub struct Past {
    pub cases: Vec<HandledCase>,
    pub guidance: Vec<Guidance>,
    pub policy: Policy,
    /// Desks use something learned before.
    pub is_in_use: bool,
    pub now: DateTime<Utc>,
}

/// Learns, judges, and says what becomes of it. What was learned is withdrawn
/// when there is nothing as good as the rules any more: it would speak of
/// cases that are to be forgotten, or of other rules.
pub fn learn(past: &Past, rules: &RuleSet) -> (HandoffReport, HandoffEffect) {
    let mut report = HandoffReport::without(HandoffDecision::TooFew);
    let open = told(past, rules, &mut report);
    let cases: Vec<handoff::Past<'_>> = open.iter().map(|(case, _)| *case).collect();
    report.cases = small(cases.len());
    report.needed = small(cases.iter().filter(|case| case.needed).count());
    report.by_people = Course::of(open.iter().map(|(case, handed)| (*handed, case.needed)));
    let by_rules = |case: &handoff::Past<'_>| case.by_rules == Complexity::Complex;
    report.by_rules = Course::of(cases.iter().map(|case| (by_rules(case), case.needed)));
    let withdrawn = match past.is_in_use {
        true => HandoffEffect::Withdraw,
        false => HandoffEffect::Nothing,
    };
    let Ok(learnt) = handoff::learn(&cases) else {
        return (report, withdrawn);
    };
    report.unsure = small(learnt.judged.iter().filter(|one| one.p.is_none()).count());
    report.curve = curve(&learnt.judged);
    (report.calibration, report.calibration_error) = honesty(&learnt);
    let costs = past.policy.missed_handoff_costs;
    let own = handoff::course(&learnt.judged, costs).cost(costs);
    if own > report.by_rules.cost(costs) || !tells_more_than_the_mean(&learnt) {
        report.decision = HandoffDecision::NoBetter;
        return (report, withdrawn);
    }
    match learnt.model.to_value() {
        Ok(model) => {
            report.decision = HandoffDecision::InUse;
            (report, HandoffEffect::Use(model))
        }
        Err(error) => {
            tracing::error!(%error, "what was learned of handoffs cannot be kept");
            report.decision = HandoffDecision::Failed;
            (report, withdrawn)
        }
    }
}

/// The cases of which it is known whether they needed the centre and that no
/// rule sends there, with whether they were handed off. Counts the others.
fn told<'p>(
    past: &'p Past,
    rules: &RuleSet,
    report: &mut HandoffReport,
) -> Vec<(handoff::Past<'p>, bool)> {
    let ripe_before = past.now - TimeDelta::minutes(i64::from(past.policy.call_back));
    let mut by_arrival: Vec<&HandledCase> = past.cases.iter().collect();
    by_arrival.sort_by_key(|case| case.arrived_at);
    let mut customers: HashMap<(&BranchCode, String), u32> = HashMap::new();
    let mut open = Vec::new();
    for case in by_arrival {
        let earlier = earlier(&mut customers, case);
        if !rules.tree.is_leaf(&case.category) {
            continue;
        }
        let limit = past.policy.compensation_limit;
        let limit_minor = guidance::limit_for(&past.guidance, &case.category, limit);
        let is_ripe = case.answered_at.is_some_and(|at| at <= ripe_before);
        let Some(needed) = case.handling.needed_centre(limit_minor, is_ripe) else {
            report.untold += 1;
            continue;
        };
        let suggestion = suggest(
            rules,
            &Case {
                description: &case.description,
                remedy_sought: &case.remedy_sought,
                category: Some(&case.category),
                amount_minor: case.amount_minor,
                group_size: case.group_size,
                earlier,
                channel: Some(case.channel),
                branch: case.branch.as_str(),
            },
        );
        if is_ordered(&suggestion) {
            report.ordered += 1;
            continue;
        }
        let traits = Traits {
            category: &case.category,
            grade: suggestion.grade,
            amount_minor: case.amount_minor,
            limit_minor,
            earlier,
            group_size: case.group_size,
            channel: Some(case.channel),
            branch: case.branch.as_str(),
        };
        let one = handoff::Past {
            traits,
            by_rules: suggestion.complexity,
            needed,
        };
        open.push((one, case.handling.handed_off));
    }
    open
}

/// Complaints of the same customer at the same branch before this one: what the
/// desk could know when it came in.
fn earlier<'p>(
    customers: &mut HashMap<(&'p BranchCode, String), u32>,
    case: &'p HandledCase,
) -> u32 {
    let phone: String = case.phone.chars().filter(char::is_ascii_digit).collect();
    if phone.len() < SHORTEST_PHONE {
        return 0;
    }
    let count = customers.entry((&case.branch, phone)).or_default();
    let before = *count;
    *count += 1;
    before
}

/// How likely it said it was against how often it was so.
fn honesty(learnt: &Learnt) -> (Vec<Bin>, f64) {
    let mut bins = [(0_u32, 0.0, 0.0); BINS];
    for (one, p) in learnt.judged.iter().zip(&learnt.likelihoods) {
        let place = ((p * BINS as f64) as usize).min(BINS - 1);
        if let Some((cases, said, was)) = bins.get_mut(place) {
            *cases += 1;
            *said += p;
            *was += f64::from(u8::from(one.needed));
        }
    }
    let bins = bins.map(|(cases, said, was)| {
        let of = f64::from(cases.max(1));
        Bin {
            cases,
            said: said / of,
            right: was / of,
        }
    });
    let apart = bins
        .iter()
        .map(|bin| f64::from(bin.cases) * (bin.said - bin.right).abs());
    let error = apart.sum::<f64>() / (learnt.judged.len().max(1) as f64);
    (bins.to_vec(), error)
}

/// Whether the likelihoods fit the outcomes better than the mean alone, by the
/// mean of the squared difference (Brier, 1950).
fn tells_more_than_the_mean(learnt: &Learnt) -> bool {
    let was = |one: &Judged| f64::from(u8::from(one.needed));
    let mean = learnt.judged.iter().map(was).sum::<f64>() / (learnt.judged.len().max(1) as f64);
    let pairs = learnt.judged.iter().zip(&learnt.likelihoods);
    let own: f64 = pairs.map(|(one, p)| (p - was(one)).powi(2)).sum();
    let of_mean: f64 = learnt
        .judged
        .iter()
        .map(|one| (mean - was(one)).powi(2))
        .sum();
    own < of_mean
}

/// What is learned of handoffs, read once for a version of the directory: any
/// other model makes another version.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Option<(u32, Option<Arc<HandoffModel>>)>>);

/// What a desk of `branch` is told of it, under this version of the directory.
pub(crate) async fn for_branch(
    hub: &Hub,
    directory: u32,
    branch: &BranchCode,
) -> Result<Option<Value>, StoreError> {
    let held = || {
        let kept = &hub.handoffs.0;
        kept.lock().unwrap_or_else(PoisonError::into_inner)
    };
    let known = held().clone().filter(|(version, _)| *version == directory);
    let model = match known {
        Some((_, model)) => model,
        None => {
            let model = read(hub).await?.map(Arc::new);
            *held() = Some((directory, model.clone()));
            model
        }
    };
    let own = model.map(|model| model.for_branch(branch.as_str()).to_value());
    own.transpose()
        .map_err(|error| StoreError::Failed(Box::new(error)))
}

/// The training whose word counts at the desks.
pub(crate) async fn version(hub: &Hub) -> Result<Option<u32>, StoreError> {
    Ok(read(hub).await?.map(|model| model.version))
}

/// One that cannot be read is as good as none: the rules' word stands.
async fn read(hub: &Hub) -> Result<Option<HandoffModel>, StoreError> {
    let Some(kept) = hub.store.handoff_model().await? else {
        return Ok(None);
    };
    match HandoffModel::from_value(&kept) {
        Ok(model) => Ok(Some(model)),
        Err(error) => {
            tracing::error!(%error, "what was learned of handoffs is not used");
            Ok(None)
        }
    }
}
