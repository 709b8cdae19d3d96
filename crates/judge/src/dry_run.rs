//! What other rules would have said of past complaints, before they are put
//! into force.

use serde::Serialize;
use suda_domain::{Complexity, Grade};

use crate::rules::RuleSet;
use crate::suggest::{Case, Decided, Verdict, judge};

/// What would change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DryRun {
    /// Complaints judged by both.
    pub judged: usize,
    /// Complaints of which something is said otherwise.
    pub changed: usize,
    pub changes: Vec<Change>,
}

/// One outcome of one complaint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The complaint's place among those given, from 0.
    pub number: usize,
    pub outcome: Outcome,
    pub before: Side,
    pub after: Side,
}

/// What the rules decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Category,
    Grade,
    Complexity,
    Route,
    Guidance,
    Required,
}

/// What one set of rules says.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Side {
    /// Nothing where no rule speaks and there is no default.
    pub value: Option<String>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Its words that stand in the complaint.
    pub matched: Vec<String>,
}

const OUTCOMES: [Outcome; 6] = [
    Outcome::Category,
    Outcome::Grade,
    Outcome::Complexity,
    Outcome::Route,
    Outcome::Guidance,
    Outcome::Required,
];

/// Judges every case by both rule files. An outcome has changed when its value
/// has; that another rule says the same is no change.
pub fn dry_run<'c>(
    old: &RuleSet,
    new: &RuleSet,
    cases: impl IntoIterator<Item = Case<'c>>,
) -> DryRun {
    let mut run = DryRun {
        judged: 0,
        changed: 0,
        changes: Vec::new(),
    };
    for (number, case) in cases.into_iter().enumerate() {
        let (before, after) = (judge(old, &case), judge(new, &case));
        let known = run.changes.len();
        for outcome in OUTCOMES {
            let (before, after) = (side(old, &before, outcome), side(new, &after, outcome));
            if before.value != after.value {
                run.changes.push(Change {
                    number,
                    outcome,
                    before,
                    after,
                });
            }
        }
        run.judged += 1;
        run.changed += usize::from(run.changes.len() > known);
    }
    run
}

fn side(rules: &RuleSet, verdict: &Verdict<'_>, outcome: Outcome) -> Side {
    match outcome {
        Outcome::Category => said(verdict.category.as_ref(), |code| (*code).to_owned()),
        Outcome::Grade => Side {
            value: Some(grade_name(verdict.grade()).to_owned()),
            ..said(verdict.grade.as_ref(), |_| String::new())
        },
        Outcome::Complexity => {
            let complexity = verdict.complexity.as_ref();
            let value = complexity.map_or(rules.default_complexity, |found| found.value);
            Side {
                value: Some(complexity_name(value).to_owned()),
                ..said(complexity, |_| String::new())
            }
        }
        Outcome::Route => said(verdict.route.as_ref(), |code| (*code).to_owned()),
        Outcome::Guidance => said(verdict.guidance.as_ref(), |code| (*code).to_owned()),
        Outcome::Required => required(verdict),
    }
}

fn said<T>(decided: Option<&Decided<'_, T>>, value: impl Fn(&T) -> String) -> Side {
    decided.map_or_else(Side::default, |found| {
        let reason = found.by.reason();
        Side {
            value: Some(value(&found.value)),
            rule: Some(reason.rule),
            matched: reason.matched,
        }
    })
}

fn required(verdict: &Verdict<'_>) -> Side {
    let mut fields: Vec<&str> = verdict.required.iter().map(|(field, _)| *field).collect();
    fields.sort_unstable();
    let reason = verdict.required.first().map(|(_, held)| held.reason());
    Side {
        value: (!fields.is_empty()).then(|| fields.join(", ")),
        rule: reason.as_ref().map(|reason| reason.rule.clone()),
        matched: reason.map(|reason| reason.matched).unwrap_or_default(),
    }
}

fn grade_name(grade: Grade) -> &'static str {
    match grade {
        Grade::One => "1",
        Grade::Two => "2",
        Grade::Three => "3",
    }
}

fn complexity_name(complexity: Complexity) -> &'static str {
    match complexity {
        Complexity::Simple => "simple",
        Complexity::Complex => "complex",
    }
}
