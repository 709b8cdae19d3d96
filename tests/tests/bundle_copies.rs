//! Two computers with one identity, and no network to tell them apart: the way
//! by file judges them as the network does, and its receipts bring the new
//! incarnation along.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use suda_tests::{City, DeskDir, Failure, bin, output};

type Done = Result<(), Failure>;

const NOTHING: &str = r#"{"lane0":0,"lane1":0,"lane2":0,"lane3":0}"#;

fn record(desk: &DeskDir) -> Done {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/complaints.csv");
    output(desk.command("import").arg(sample).arg("--json")).map(drop)
}

fn copied(desk: &DeskDir, to: &Path) -> Result<DeskDir, Failure> {
    output(Command::new("cp").arg("-a").arg(&desk.data).arg(to))?;
    Ok(DeskDir {
        data: to.to_owned(),
        key: desk.key.clone(),
    })
}

fn json_of(command: &mut Command) -> Result<Value, Failure> {
    Ok(serde_json::from_str(&output(command)?)?)
}

fn desk_bundle(desk: &DeskDir, sub: &str, file: &Path) -> Result<Value, Failure> {
    let mut command = Command::new(bin("suda-desk"));
    command.args(["bundle", sub, "--json"]).arg(file);
    command.arg("--data").arg(&desk.data);
    json_of(command.arg("--key-file").arg(&desk.key))
}

/// Export, take in, and the receipts back: what the three commands told.
fn by_file(city: &City, desk: &DeskDir, name: &str) -> Result<(Value, Value), Failure> {
    let file = city.dir.path().join(format!("{name}.suda"));
    let back = city.dir.path().join(format!("{name}.back"));
    desk_bundle(desk, "export", &file)?;
    let mut import = Command::new(bin("suda-hub"));
    import.args(["bundle", "import", "--json"]).arg(&file);
    import.arg("--data").arg(city.hub_data());
    let taken = json_of(import.arg("--receipts").arg(&back))?;
    let confirmed = desk_bundle(desk, "import", &back)?;
    let again = desk_bundle(desk, "import", &back)?;
    assert_eq!(
        (&again["confirmed"], &again["left"]),
        (&json!(0), &confirmed["left"]),
        "receipts taken in twice change nothing"
    );
    Ok((taken, confirmed))
}

fn verified(city: &City, desks: &[&DeskDir]) -> Done {
    for desk in desks {
        output(&mut desk.command("verify"))?;
    }
    let mut verify = Command::new(bin("suda-hub"));
    output(verify.arg("verify").arg("--data").arg(city.hub_data())).map(drop)
}

#[test]
fn of_two_copies_the_second_gets_a_new_incarnation_by_file_and_loses_nothing() -> Done {
    let mut city = City::start()?;
    let first = city.desk(&city.branch()?, "desk")?;
    first.sync()?;
    let second = copied(&first, &first.data.with_file_name("copy"))?;
    city.stop_hub()?;
    record(&first)?;
    record(&second)?;

    let (taken, confirmed) = by_file(&city, &first, "first")?;
    assert_eq!(taken["applied"], taken["events"]);
    assert_eq!(confirmed["left"], 0);
    let (taken, confirmed) = by_file(&city, &second, "second")?;
    assert_eq!(
        (&taken["forked"], &taken["applied"], &taken["quarantined"]),
        (&taken["events"], &json!(0), &json!(0)),
        "{taken}"
    );
    assert_eq!(
        confirmed["left"], taken["events"],
        "they wait under new numbers"
    );
    assert_eq!(second.status()?["incarnation"], 2);
    output(&mut second.command("verify"))?;

    // What it records from now on has a letter of its own.
    record(&second)?;
    let (taken, confirmed) = by_file(&city, &second, "renewed")?;
    assert_eq!(
        (&taken["forked"], &taken["missing"]),
        (&json!(0), &json!(0)),
        "{taken}"
    );
    assert_eq!(confirmed["left"], 0);
    let hub = city.hub_status()?;
    assert_eq!(hub["complaints"], 48, "{hub}");
    assert!(
        hub["quarantined"].as_u64() >= Some(24),
        "two receipts with one number are for a person: {hub}"
    );

    city.start_hub()?;
    for desk in [&first, &second, &first, &second] {
        desk.sync()?;
    }
    assert_eq!(city.hub_status()?, hub, "the network brought nothing new");
    for desk in [&first, &second] {
        assert_eq!(desk.status()?["unsent"].to_string(), NOTHING);
    }
    verified(&city, &[&first, &second])
}
