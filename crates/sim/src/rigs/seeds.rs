//! `suda-sim run`: full days, one a seed, with everything that can go wrong.

use std::time::Instant;

use serde_json::json;

use super::Report;
use super::planted::find;
use crate::check::refused::Refused;
use crate::cores::on_all_cores;
use crate::plant::Plant;
use crate::world::Plan;
use crate::{Outcome, run};

/// What the same rig must find.
const CONTROL: Plant = Plant::NoDedupe;

pub(super) fn outcomes(first: u64, seeds: u64, plan: Plan) -> anyhow::Result<Vec<Outcome>> {
    let seeds: Vec<u64> = (first..first + seeds).collect();
    on_all_cores(&seeds, |&seed| run(seed, plan))
}

/// Runs `seeds` days of `plan` from `first` on. With `each`, a line for each is
/// printed.
///
/// # Errors
/// When a world cannot be made.
pub fn run_seeds(first: u64, seeds: u64, plan: Plan, each: bool) -> anyhow::Result<Report> {
    let began = Instant::now();
    let all = outcomes(first, seeds, plan)?;
    if each {
        for one in &all {
            println!(
                "{} {:?} {:?} {}",
                one.seed, one.counts, one.violations, one.trace
            );
        }
    }
    let sum = |of: fn(&Outcome) -> u64| all.iter().map(of).sum::<u64>();
    let mut refused = Refused::new();
    for (reason, count) in all.iter().flat_map(|o| &o.refused) {
        *refused.entry(reason.clone()).or_default() += count;
    }
    let bad: Vec<u64> = all
        .iter()
        .filter(|o| o.violations.total() + o.counts.copies_missed > 0)
        .map(|o| o.seed)
        .collect();
    // The other bugs are planted by a rig of their own.
    let control = find(CONTROL, first)?;
    let mut line = json!({
        "rig": "sim",
        "seeds": seeds,
        "first_seed": first,
        "desks": plan.branches * plan.desks_each,
        "operations": plan.operations,
        "steps_confirmed": sum(|o| o.promises),
        "lost": sum(|o| o.violations.lost),
        "doubled": sum(|o| o.violations.doubled),
        "two_owners": sum(|o| o.violations.two_owners),
        "unfounded": sum(|o| o.violations.unfounded),
        "out_of_order": sum(|o| o.violations.out_of_order),
        "apart": sum(|o| o.violations.apart),
        "held": sum(|o| o.violations.held),
        "stuck": sum(|o| o.violations.stuck),
        "branch_apart": sum(|o| o.violations.branch_apart),
        "not_forwarded": sum(|o| o.violations.not_forwarded),
        "let_go": sum(|o| o.violations.let_go),
        "damaged_taken": sum(|o| o.violations.damaged_taken),
        "set_aside_by_reason": refused,
        "wrongly_set_aside": sum(|o| o.violations.wrongly_refused),
        "records_by_strangers": sum(|o| o.counts.bad_records),
        "lan_messages": sum(|o| o.counts.lan_messages),
        "kept_by_mailboxes": sum(|o| o.counts.kept),
        "forwards": sum(|o| o.counts.forwards),
        "files": sum(|o| o.counts.files),
        "files_taken": sum(|o| o.counts.files_taken),
        "parcels_refused": sum(|o| o.counts.parcels_refused),
        "messages": sum(|o| o.counts.messages),
        "crashes": sum(|o| o.counts.crashes),
        "hub_restores": sum(|o| o.counts.hub_restores),
        "rollbacks": sum(|o| o.counts.rollbacks),
        "copies": sum(|o| o.counts.copies),
        "copies_found_at_first_hello": sum(|o| o.counts.copies_found),
        "copies_missed_at_first_hello": sum(|o| o.counts.copies_missed),
        "renewals": sum(|o| o.counts.renewals),
        "destroyed_with_their_file": sum(|o| o.destroyed),
        "level_after_ms_max": all.iter().filter_map(|o| o.level_after_ms).max(),
        "bad_seeds": bad.iter().take(10).collect::<Vec<_>>(),
        "first_violation": all.iter().find_map(|o| o.violations.first.clone()),
        "trace": all.last().map(|o| o.trace.clone()),
        "seconds": began.elapsed().as_secs_f64(),
    });
    let found = json!({
        "bug": CONTROL.name(),
        "found_at_seed": control.as_ref().map(|(seed, _)| seed),
        "as": control.as_ref().and_then(|(_, first)| first.as_ref()),
    });
    if let Some(figures) = line.as_object_mut() {
        figures.insert("control".to_owned(), found);
    }
    Ok(Report {
        line,
        passed: bad.is_empty() && control.is_some(),
    })
}
