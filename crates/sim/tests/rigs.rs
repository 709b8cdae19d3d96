//! The rigs, small: that they pass, that their controls fail, and that a seed
//! replays its run. The full sizes run as steps of `cargo xtask test`.

use suda_sim::plant::Plant;
use suda_sim::rigs::{herd, hour, lanes, live, planted, seeds};
use suda_sim::run;
use suda_sim::world::Plan;

#[test]
fn a_seed_replays_its_run_and_another_seed_is_another_run() {
    for (seed, plan) in [
        (7, Plan::small()),
        (11, Plan::small()),
        (12, Plan::small()),
        (5, Plan::full()),
    ] {
        let first = run(seed, plan).unwrap();
        let again = run(seed, plan).unwrap();
        let other = run(seed + 1, plan).unwrap();
        assert_eq!(first.trace, again.trace);
        assert_eq!(first.violations, again.violations);
        assert_ne!(first.trace, other.trace);
    }
}

#[test]
fn nothing_is_lost_doubled_or_stuck_on_full_days() {
    let report = seeds::run_seeds(1, FULL_DAYS, Plan::full(), false).unwrap();
    assert!(report.passed, "{}", report.line);
    // All that can go wrong has gone wrong.
    for fault in [
        "crashes",
        "hub_restores",
        "rollbacks",
        "copies",
        "renewals",
        "kept_by_mailboxes",
        "forwards",
        "files_taken",
        "parcels_refused",
    ] {
        let count = report.line.get(fault).and_then(serde_json::Value::as_u64);
        assert!(count > Some(0), "no {fault}: {}", report.line);
    }
}

const FULL_DAYS: u64 = 60;

#[test]
fn a_planted_bug_is_found_and_the_same_seeds_without_it_are_clean() {
    let report = planted::hunt(1, Some(Plant::EpochKept.name())).unwrap();
    assert!(report.passed, "{}", report.line);
}

#[test]
fn a_mailbox_that_lets_go_too_early_is_found() {
    let report = planted::hunt(1, Some(Plant::CustodyDropped.name())).unwrap();
    assert!(report.passed, "{}", report.line);
}

#[test]
fn a_hub_that_sets_good_records_aside_is_found() {
    let report = planted::hunt(1, Some(Plant::GoodRefused.name())).unwrap();
    assert!(report.passed, "{}", report.line);
    let how = report.line["how"][0]["as"].as_str().unwrap();
    assert!(how.contains("was set aside"), "{how}");
}

#[test]
fn every_queue_empties_by_itself_after_cuts_and_kills() {
    let report = live::heal_all(1, 200).unwrap();
    assert!(report.passed, "{}", report.line);
}

#[test]
fn complex_complaints_are_in_the_queue_within_the_hour() {
    let report = hour::measure(20, 1, 1).unwrap();
    assert!(report.passed, "{}", report.line);
}

/// The full size is 10,000 desks; here hub and herd are a tenth of it.
#[test]
fn a_herd_is_served_in_time_by_slots_and_not_without_them() {
    let herd = herd::Options {
        desks: 1_000,
        complaints: 10,
        events: 12,
        per_s: 1_500,
        seed: 1,
    };
    let report = herd::stampede(&herd).unwrap();
    assert!(report.passed, "{}", report.line);
}

#[test]
fn evidence_goes_on_at_the_byte_and_keeps_no_handoff_waiting_and_totals_count_once() {
    let report = lanes::share_the_line(1, 20).unwrap();
    assert!(report.passed, "{}", report.line);
}
