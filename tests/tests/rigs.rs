//! The process rigs in small sizes. `cargo xtask rig NAME` runs them in full.

use suda_tests::Failure;
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
