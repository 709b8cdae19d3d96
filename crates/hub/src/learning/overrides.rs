//! What people decide otherwise than is suggested to them: how often, in which
//! branches, from which category to which, and with which reasons. Pure.

use std::collections::{BTreeMap, BTreeSet};

use suda_domain::personal::found;
use suda_domain::{BranchCode, ComplaintId, Fact, LedgerEvent};

use super::examine::{commonest, small};
use super::report::{Confused, OfBranch, OfReason, Overrides};

const BRANCHES: usize = 50;
const REASONS: usize = 30;
const CATEGORIES: usize = 30;
/// Cases in which a reason has to stand in the same words: a reason of one case
/// may tell of its customer.
const SEVERAL: usize = 3;

/// Of assessments with what was suggested.
pub fn tally(assessments: &[(BranchCode, LedgerEvent)]) -> Overrides {
    let mut tally = Overrides::default();
    let mut branches: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, BTreeSet<ComplaintId>> = BTreeMap::new();
    let mut given = 0;
    let mut categories = Vec::new();
    for (branch, event) in assessments {
        let Fact::Assessed {
            category,
            grade,
            complexity,
            suggestion: Some(suggestion),
            override_reason,
        } = &event.fact
        else {
            continue;
        };
        let suggested = suggestion.category.as_ref();
        let other = suggested.filter(|suggested| *suggested != category);
        if let Some(suggested) = other {
            categories.push((suggested.as_str(), category.as_str()));
        }
        let (other_grade, other_way) = (
            suggestion.grade != *grade,
            suggestion.complexity != *complexity,
        );
        tally.assessed += 1;
        tally.category += u32::from(other.is_some());
        tally.grade += u32::from(other_grade);
        tally.complexity += u32::from(other_way);
        let of = branches.entry(branch.as_str()).or_default();
        of.0 += 1;
        of.1 += u32::from(other.is_some() || other_grade || other_way);
        if let Some(reason) = override_reason.as_deref().map(str::trim)
            && !reason.is_empty()
        {
            given += 1;
            reasons.entry(reason).or_default().insert(event.complaint);
        }
    }
    let mut by_branch: Vec<OfBranch> = branches
        .into_iter()
        .map(|(branch, (assessed, overridden))| OfBranch {
            branch: branch.to_owned(),
            assessed,
            overridden,
        })
        .collect();
    by_branch.sort_by_key(|one| std::cmp::Reverse(one.overridden));
    by_branch.truncate(BRANCHES);
    let mut shown: Vec<OfReason> = reasons
        .into_iter()
        .filter(|(reason, cases)| cases.len() >= SEVERAL && found(reason, []).is_empty())
        .map(|(reason, cases)| OfReason {
            reason: reason.to_owned(),
            cases: small(cases.len()),
        })
        .collect();
    shown.sort_by_key(|one| std::cmp::Reverse(one.cases));
    shown.truncate(REASONS);
    let named: u32 = shown.iter().map(|one| one.cases).sum();
    tally.other_reasons = small(given).saturating_sub(named);
    tally.by_branch = by_branch;
    tally.reasons = shown;
    tally.categories = commonest(categories.into_iter())
        .take(CATEGORIES)
        .map(|((suggested, chosen), cases)| Confused {
            is: chosen.to_owned(),
            said: suggested.to_owned(),
            cases,
        })
        .collect();
    tally
}
