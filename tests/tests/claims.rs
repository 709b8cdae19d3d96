//! The rig of the claims, small enough for every run of the tests.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use serde_json::Value;
use suda_tests::{bin, output};

#[test]
fn of_many_who_claim_one_wins_and_what_the_dead_held_comes_back() {
    let mut rig = Command::new(bin("suda-rig-claims"));
    rig.args(["--claimers", "60", "--orders", "240"]);
    let line: Value = serde_json::from_str(&output(&mut rig).unwrap()).unwrap();
    assert_eq!(line["passed"], true, "{line}");
    for store in ["sqlite", "postgresql"] {
        let found = &line[store];
        assert_eq!(found["claimed_twice"], 0, "{line}");
        assert_eq!(found["lost"], 0, "{line}");
        assert!(found["lapsed"].as_u64().unwrap() > 0, "{line}");
    }
    assert!(line["control"]["claimed_twice"].as_u64().unwrap() > 0);
}
