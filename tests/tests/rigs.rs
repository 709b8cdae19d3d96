//! The process rigs in small sizes. `cargo xtask rig NAME` runs them in full.

use suda_tests::Failure;
use suda_tests::rig::herd::StoreKind;
use suda_tests::rig::{self, Report};

type Done = Result<(), Failure>;

/// Passed, or everything the rig found.
fn passed(report: &Report) -> Done {
    println!("{}", report.line());
    match report.holds() {
        true => Ok(()),
        false => Err(Failure::Said(report.line())),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_kills_lose_nothing_acknowledged_and_double_nothing() -> Done {
    let options = rig::kill::Options {
        points: 200,
        control_points: 8,
        seed: 3,
    };
    passed(&rig::kill::run(options).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_receipt_doubles_nothing_and_everything_arrives() -> Done {
    let options = rig::acks::Options {
        drops: 300,
        real_drops: 2,
        desks: 10,
        seed: 3,
    };
    passed(&rig::acks::run(options).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_power_cuts_lose_nothing_acknowledged() -> Done {
    if let Some(obstacle) = rig::power::obstacle() {
        eprintln!("not tried: {obstacle}");
        return Ok(());
    }
    let options = rig::power::Options {
        cuts: 200,
        control_cuts: 5,
        seed: 3,
    };
    passed(&rig::power::run(options).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn full_and_failing_disks_are_told_and_outlived() -> Done {
    let options = rig::disk::Options {
        writes: 500,
        flushes: 500,
        every: 41,
        seed: 3,
    };
    passed(&rig::disk::run(options).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_a_desks_files_or_of_the_hubs_ledger_is_found() -> Done {
    let options = rig::flip::Options {
        flips: 60,
        everywhere: false,
        seed: 3,
    };
    passed(&rig::flip::run(options).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn desks_bring_a_restored_hub_what_it_has_forgotten() -> Done {
    let options = rig::restore::Options {
        desks: 30,
        real: 1,
        before: 3,
        later: 2,
        seed: 3,
    };
    passed(&rig::restore::run(options).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_herd_is_served_urgent_lane_first_while_the_console_answers() -> Done {
    passed(&rig::herd::run(herd_on(StoreKind::Sqlite)).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_herd_is_served_from_a_database_too() -> Done {
    passed(&rig::herd::run(herd_on(StoreKind::Postgresql)).await?)
}

fn herd_on(store: StoreKind) -> rig::herd::Options {
    rig::herd::Options {
        desks: 40,
        complaints: 6,
        events: 12,
        within: std::time::Duration::from_secs(1),
        store,
        seed: 3,
    }
}
