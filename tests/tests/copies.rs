//! A data directory copied to a second computer, with the real programs: the
//! hub finds it, both go on by themselves, and nothing is lost or doubled.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use suda_tests::{City, DeskDir, Failure, bin, output};

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/complaints.csv")
}

fn import(desk: &DeskDir) -> Result<BTreeSet<String>, Failure> {
    let told = output(desk.command("import").arg(sample()).arg("--json"))?;
    Ok(told
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|row| row["reference"].as_str().unwrap().to_owned())
        .collect())
}

fn copied(desk: &DeskDir, to: &Path) -> Result<DeskDir, Failure> {
    output(Command::new("cp").arg("-a").arg(&desk.data).arg(to))?;
    Ok(DeskDir {
        data: to.to_owned(),
        key: desk.key.clone(),
    })
}

#[test]
fn a_copied_computer_is_found_and_both_go_on_without_loss() -> Result<(), Failure> {
    let city = City::start()?;
    let first = city.desk(&city.branch()?, "desk")?;
    let mut told = import(&first)?;
    first.sync()?;

    let second = copied(&first, &first.data.with_file_name("copy"))?;
    second.sync()?;
    first.sync()?;
    let (here, there) = (first.status()?, second.status()?);
    let incarnations: BTreeSet<u64> = [&here, &there]
        .into_iter()
        .filter_map(|status| status["incarnation"].as_u64())
        .collect();
    assert_eq!(incarnations, BTreeSet::from([1, 2]), "{here} {there}");

    told.extend(import(&first)?);
    told.extend(import(&second)?);
    assert_eq!(told.len(), 72, "no number is given twice");
    for desk in [&first, &second, &first] {
        desk.sync()?;
    }
    let hub = city.hub_status()?;
    assert_eq!(
        (&hub["complaints"], &hub["quarantined"]),
        (&json!(72), &json!(0)),
        "{hub}"
    );
    for desk in [&first, &second] {
        let status = desk.status()?;
        assert_eq!(status["complaints"], 72, "{status}");
        assert_eq!(
            status["unsent"],
            json!({"lane0": 0, "lane1": 0, "lane2": 0, "lane3": 0})
        );
        output(&mut desk.command("verify"))?;
    }
    output(
        Command::new(bin("suda-hub"))
            .arg("verify")
            .arg("--data")
            .arg(city.hub_data()),
    )?;
    Ok(())
}

/// What both wrote before the hub could tell them apart stands under the same
/// numbers: the events get new ones, and nothing is lost. Two receipts with one
/// reference number are for a person to settle.
#[test]
fn what_both_copies_wrote_under_the_same_numbers_is_kept() -> Result<(), Failure> {
    let city = City::start()?;
    let first = city.desk(&city.branch()?, "desk")?;
    first.sync()?;
    let second = copied(&first, &first.data.with_file_name("copy"))?;
    import(&first)?;
    import(&second)?;
    for desk in [&first, &second, &first, &second] {
        desk.sync()?;
    }
    let hub = city.hub_status()?;
    let (whole, aside) = (&hub["complaints"], &hub["quarantined"]);
    assert_eq!(whole, 24, "{hub}");
    assert!(
        aside.as_u64() >= Some(24),
        "every other one is set aside: {hub}"
    );
    for desk in [&first, &second] {
        assert_eq!(
            desk.status()?["unsent"],
            json!({"lane0": 0, "lane1": 0, "lane2": 0, "lane3": 0})
        );
        output(&mut desk.command("verify"))?;
    }
    Ok(())
}
