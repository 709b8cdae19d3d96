//! The way without a network, with the real programs: what waits goes to the
//! hub in a sealed file and its receipts come back in another; the network's
//! return finds everything known. A bad file is named and changes nothing.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use suda_tests::{City, DeskDir, Display, Failure, Screen, bin, eventually, output, output_raw};

type Done = Result<(), Failure>;

const NOTHING: &str = r#"{"lane0":0,"lane1":0,"lane2":0,"lane3":0}"#;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/complaints.csv")
}

fn json_of(command: &mut Command) -> Result<Value, Failure> {
    Ok(serde_json::from_str(&output(command)?)?)
}

fn desk_bundle(desk: &DeskDir, sub: &str, file: &Path) -> Command {
    let mut command = Command::new(bin("suda-desk"));
    command.args(["bundle", sub, "--json"]).arg(file);
    command.arg("--data").arg(&desk.data);
    command.arg("--key-file").arg(&desk.key);
    command
}

fn hub_bundle(city: &City, sub: &str, file: &Path) -> Command {
    let mut command = Command::new(bin("suda-hub"));
    command.args(["bundle", sub, "--json"]).arg(file);
    command.arg("--data").arg(city.hub_data());
    command
}

fn hub_command(city: &City, sub: &str, file: &Path) -> Command {
    let mut command = Command::new(bin("suda-hub"));
    command.arg(sub).arg(file);
    command.arg("--data").arg(city.hub_data());
    command
}

/// Exit code and sentence of a command that has to fail.
fn refused(command: &mut Command) -> Result<(i32, String), Failure> {
    let done = output_raw(command)?;
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        !done.status.success() && !told.contains("panicked"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "one line: {told}");
    Ok((done.status.code().unwrap(), told))
}

/// A desk with 24 complaints that it could not send.
fn cut_off(city: &mut City) -> Result<DeskDir, Failure> {
    let desk = city.desk(&city.branch()?, "desk")?;
    city.stop_hub()?;
    record(&desk)?;
    Ok(desk)
}

fn record(desk: &DeskDir) -> Done {
    output(desk.command("import").arg(sample()).arg("--json")).map(drop)
}

fn unsent(desk: &DeskDir) -> Result<String, Failure> {
    Ok(desk.status()?["unsent"].to_string())
}

fn unsent_count(desk: &DeskDir) -> Result<u64, Failure> {
    let unsent = desk.status()?["unsent"].clone();
    let lanes = unsent.as_object().unwrap().values();
    Ok(lanes.map(|lane| lane.as_u64().unwrap()).sum())
}

fn verified(city: &City, desk: &DeskDir) -> Done {
    output(&mut desk.command("verify"))?;
    let mut verify = Command::new(bin("suda-hub"));
    output(verify.arg("verify").arg("--data").arg(city.hub_data())).map(drop)
}

#[test]
fn a_file_brings_everything_to_the_hub_and_the_network_finds_it_known() -> Done {
    let mut city = City::start()?;
    let desk = cut_off(&mut city)?;
    let dir = city.dir.path().to_owned();
    let waiting = unsent_count(&desk)?;
    let (file, receipts) = (dir.join("out.suda"), dir.join("back.suda"));

    let written = json_of(&mut desk_bundle(&desk, "export", &file))?;
    assert_eq!(written["events"], waiting);
    assert_eq!(written["left"], 0);
    assert!(written["urgent"].as_u64() > Some(0), "{written}");
    assert_eq!(unsent_count(&desk)?, waiting, "a file is no receipt");

    let mut import = hub_bundle(&city, "import", &file);
    let taken = json_of(import.arg("--receipts").arg(&receipts))?;
    assert_eq!(
        (&taken["events"], &taken["applied"], &taken["quarantined"]),
        (&json!(waiting), &json!(waiting), &json!(0))
    );
    let confirmed = json_of(&mut desk_bundle(&desk, "import", &receipts))?;
    assert_eq!(
        (&confirmed["confirmed"], &confirmed["left"]),
        (&json!(waiting), &json!(0))
    );
    assert_eq!(unsent(&desk)?, NOTHING);
    let nothing = json_of(&mut desk_bundle(&desk, "export", &dir.join("none.suda")))?;
    assert!(nothing["file"].is_null() && !dir.join("none.suda").exists());

    let before = city.hub_status()?;
    city.start_hub()?;
    let synced = json_of(desk.command("sync").args(["--once", "--json"]))?;
    assert_eq!(synced["sent"], 0, "nothing was left to send");
    let there = city.hub_status()?;
    assert_eq!(there, before);
    assert_eq!(
        (&there["complaints"], &there["quarantined"]),
        (&json!(24), &json!(0))
    );
    assert_eq!(desk.status()?["by_state"], there["by_state"]);
    verified(&city, &desk)
}

#[test]
fn taken_in_twice_and_never_receipted_by_file_doubles_nothing() -> Done {
    let mut city = City::start()?;
    let desk = cut_off(&mut city)?;
    let dir = city.dir.path().to_owned();
    let waiting = unsent_count(&desk)?;
    let (first, second) = (dir.join("first.suda"), dir.join("second.suda"));
    output(&mut desk_bundle(&desk, "export", &first))?;
    record(&desk)?;
    output(&mut desk_bundle(&desk, "export", &second))?;
    city.start_hub()?;

    // The later one first: it carries all the earlier one does.
    let later = json_of(&mut hub_bundle(&city, "import", &second))?;
    assert_eq!(
        (&later["applied"], &later["duplicate"]),
        (&json!(2 * waiting), &json!(0))
    );
    let held = city.hub_status()?;
    for file in [&first, &second, &first] {
        let again = json_of(&mut hub_bundle(&city, "import", file))?;
        assert_eq!(
            (&again["applied"], &again["duplicate"]),
            (&json!(0), &again["events"])
        );
    }
    assert_eq!(city.hub_status()?, held);

    desk.sync()?;
    assert_eq!(unsent(&desk)?, NOTHING);
    let there = city.hub_status()?;
    assert_eq!(there, held, "the network brought nothing new");
    assert_eq!(there["complaints"], 48);
    verified(&city, &desk)
}

/// The earlier file's receipts, the later one's, and those written for the desk
/// at any time: in whatever order, they end at the same.
#[test]
fn receipts_count_in_any_order_and_never_take_back() -> Done {
    let mut city = City::start()?;
    let desk = cut_off(&mut city)?;
    let dir = city.dir.path().to_owned();
    let waiting = unsent_count(&desk)?;
    let at = |name: &str| dir.join(name);
    for (name, back) in [("a.suda", "a.back"), ("b.suda", "b.back")] {
        output(&mut desk_bundle(&desk, "export", &at(name)))?;
        output(
            hub_bundle(&city, "import", &at(name))
                .arg("--receipts")
                .arg(at(back)),
        )?;
        record(&desk)?;
    }
    let later = json_of(&mut desk_bundle(&desk, "import", &at("b.back")))?;
    assert_eq!(
        (&later["confirmed"], &later["left"]),
        (&json!(2 * waiting), &json!(waiting))
    );
    let earlier = json_of(&mut desk_bundle(&desk, "import", &at("a.back")))?;
    assert_eq!(
        (&earlier["confirmed"], &earlier["left"]),
        (&json!(0), &json!(waiting))
    );

    output(&mut desk_bundle(&desk, "export", &at("c.suda")))?;
    output(&mut hub_bundle(&city, "import", &at("c.suda")))?;
    let device = desk.status()?["device"].as_str().unwrap().to_owned();
    output(hub_bundle(&city, "export", &at("all.back")).args(["--device", &device]))?;
    let all = json_of(&mut desk_bundle(&desk, "import", &at("all.back")))?;
    assert_eq!(
        (&all["confirmed"], &all["left"]),
        (&json!(waiting), &json!(0))
    );
    city.start_hub()?;
    desk.sync()?;
    assert_eq!(city.hub_status()?["complaints"], 72);
    verified(&city, &desk)
}

#[test]
fn a_hub_put_back_from_a_backup_gets_everything_again() -> Done {
    let mut city = City::start()?;
    let desk = cut_off(&mut city)?;
    let dir = city.dir.path().to_owned();
    let at = |name: &str| dir.join(name);
    output(&mut hub_command(&city, "backup", &at("hub.backup")))?;
    output(&mut desk_bundle(&desk, "export", &at("a.suda")))?;
    output(
        hub_bundle(&city, "import", &at("a.suda"))
            .arg("--receipts")
            .arg(at("a.back")),
    )?;
    output(&mut desk_bundle(&desk, "import", &at("a.back")))?;
    record(&desk)?;
    let waiting = unsent_count(&desk)?;
    output(&mut desk_bundle(&desk, "export", &at("b.suda")))?;

    output(&mut hub_command(&city, "restore", &at("hub.backup")))?;
    let taken = json_of(
        hub_bundle(&city, "import", &at("b.suda"))
            .arg("--receipts")
            .arg(at("b.back")),
    )?;
    assert_eq!(
        (&taken["applied"], &taken["missing"]),
        (&json!(0), &json!(waiting))
    );
    let (code, told) = refused(&mut desk_bundle(&desk, "import", &at("b.back")))?;
    assert!(
        code == 19 && told.contains("put back from a backup"),
        "{code} {told}"
    );
    assert_eq!(unsent_count(&desk)?, waiting, "it counts for nothing");

    // The older file still helps: with it, the later one fits.
    output(&mut hub_bundle(&city, "import", &at("a.suda")))?;
    let taken = json_of(&mut hub_bundle(&city, "import", &at("b.suda")))?;
    assert_eq!(
        (&taken["applied"], &taken["missing"]),
        (&json!(waiting), &json!(0))
    );
    city.start_hub()?;
    desk.sync()?;
    assert_eq!(unsent(&desk)?, NOTHING);
    assert_eq!(city.hub_status()?["complaints"], 48);
    verified(&city, &desk)
}

/// A desk put back from a backup goes on under a new incarnation; what the
/// earlier one wrote and nobody has yet goes into the file too.
#[test]
fn a_desk_put_back_from_a_backup_hands_over_what_it_wrote_before() -> Done {
    let mut city = City::start()?;
    let desk = cut_off(&mut city)?;
    let dir = city.dir.path().to_owned();
    let at = |name: &str| dir.join(name);
    output(desk.command("backup").arg(at("desk.backup")))?;
    record(&desk)?;
    // Without its journal it cannot tell what it wrote after the backup.
    std::fs::remove_dir_all(desk.data.join("journal")).map_err(Failure::io("the journal"))?;
    output(desk.command("restore").arg(at("desk.backup")))?;
    record(&desk)?;
    let status = desk.status()?;
    assert_eq!(status["incarnation"], 2, "{status}");
    let waiting = unsent_count(&desk)?;
    let written = json_of(&mut desk_bundle(&desk, "export", &at("out.suda")))?;
    assert_eq!(written["events"], waiting);
    let taken = json_of(
        hub_bundle(&city, "import", &at("out.suda"))
            .arg("--receipts")
            .arg(at("back.suda")),
    )?;
    assert_eq!(taken["applied"], waiting, "{taken}");
    output(&mut desk_bundle(&desk, "import", &at("back.suda")))?;
    assert_eq!(unsent(&desk)?, NOTHING);
    assert_eq!(city.hub_status()?["complaints"], 48);
    verified(&city, &desk)
}

#[test]
fn a_bad_file_is_named_and_changes_nothing() -> Done {
    let mut city = City::start()?;
    output(&mut hub_command(
        &city,
        "backup",
        &city.dir.path().join("empty.backup"),
    ))?;
    let desk = cut_off(&mut city)?;
    let dir = city.dir.path().to_owned();
    let at = |name: &str| dir.join(name);
    output(&mut desk_bundle(&desk, "export", &at("good.suda")))?;
    let good = std::fs::read(at("good.suda")).map_err(Failure::io("the bundle"))?;
    let text = String::from_utf8_lossy(&good);
    assert!(
        !text.contains("Recorded") && !text.contains("recorded"),
        "readable"
    );

    let keep = |name: &str, bytes: &[u8]| std::fs::write(at(name), bytes).unwrap();
    keep("short.suda", &good[..good.len() / 2]);
    let mut altered = good.clone();
    altered[good.len() / 2] ^= 1;
    keep("altered.suda", &altered);
    keep("text.suda", b"not a bundle");
    let empty = city.hub_status()?;
    for (name, code, sentence) in [
        ("text.suda", 10, "not a bundle"),
        ("short.suda", 11, "cut short"),
        ("altered.suda", 12, "altered or damaged"),
        ("missing.suda", 1, "cannot be read"),
    ] {
        let (given, told) = refused(&mut hub_bundle(&city, "import", &at(name)))?;
        assert!(
            given == code && told.contains(sentence),
            "{name}: {given} {told}"
        );
        // Beside a running hub it is the same.
        city.start_hub()?;
        assert_eq!(
            refused(&mut hub_bundle(&city, "import", &at(name)))?,
            (given, told)
        );
        city.stop_hub()?;
        assert_eq!(city.hub_status()?, empty);
    }
    let (code, told) = refused(&mut desk_bundle(&desk, "import", &at("good.suda")))?;
    assert!(
        code == 15 && told.contains("other direction"),
        "{code} {told}"
    );
    let (code, told) = refused(&mut desk_bundle(&desk, "export", &at("good.suda")))?;
    assert!(code == 1 && told.contains("already"), "{code} {told}");

    // Another hub, and this one before it knew the desk.
    let mut other = City::start()?;
    other.stop_hub()?;
    let (code, told) = refused(&mut hub_bundle(&other, "import", &at("good.suda")))?;
    assert!(code == 13 && told.contains("another hub"), "{code} {told}");
    let other_desk = {
        other.start_hub()?;
        other.desk(&other.branch()?, "other")?
    };
    output(
        hub_bundle(&city, "import", &at("good.suda"))
            .arg("--receipts")
            .arg(at("back.suda")),
    )?;
    let (code, told) = refused(&mut desk_bundle(&other_desk, "import", &at("back.suda")))?;
    assert!(code == 13 && told.contains("another desk"), "{code} {told}");
    output(&mut hub_command(&city, "restore", &at("empty.backup")))?;
    let (code, told) = refused(&mut hub_bundle(&city, "import", &at("good.suda")))?;
    assert!(code == 17 && told.contains("not enrolled"), "{code} {told}");
    assert_eq!(city.hub_status()?["complaints"], 0);
    output(&mut desk.command("verify")).map(drop)
}

/// Sets a file into the window's choice, as a person would.
async fn choose(window: &Screen, file: &Path) -> Done {
    let bytes = std::fs::read(file).map_err(Failure::io("the receipts"))?;
    let set = "const chosen = new DataTransfer(); \
        chosen.items.add(new File([new Uint8Array(arguments[0])], 'back.suda')); \
        const input = document.querySelector('[data-testid=\"handover-receipts\"]'); \
        input.files = chosen.files; \
        input.dispatchEvent(new Event('change'))";
    window.client.execute(set, vec![json!(bytes)]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn from_minute_45_the_window_urges_the_file_prints_the_slip_and_takes_receipts() -> Done {
    let mut city = City::start()?;
    let branch = city.branch()?;
    let desk = city.desk(&branch, "desk")?;
    city.stop_hub()?;
    let dir = city.dir.path().to_owned();
    let record = |text: &str, minutes: i64| -> Result<String, Failure> {
        let arrived = (Utc::now() - TimeDelta::minutes(minutes)).to_rfc3339();
        let rows = format!("received_at,text,name,phone\n{arrived},{text},钱小满,13800138077\n");
        std::fs::write(dir.join("row.csv"), rows).map_err(Failure::io("a row"))?;
        let mut import = desk.command("import");
        import
            .arg(dir.join("row.csv"))
            .args(["--handoff", "none", "--json"]);
        let printed: Value = serde_json::from_str(&output(&mut import)?)?;
        Ok(printed["reference"].as_str().unwrap().to_owned())
    };
    let early = record("账单多收了三十元", 5)?;
    let late = record("宽带断了两天", 46)?;

    let display = Display::start()?;
    let window = Screen::window(&display, &desk).await?;
    let clerk = city.account("clerk", Some(&branch))?;
    window.desk_sign_in(clerk).await?;
    for (reference, urged) in [(&early, "false"), (&late, "true")] {
        window.click("nav-backlog").await?;
        window
            .click_css(&format!("[data-reference=\"{reference}\"]"))
            .await?;
        window.reads("case-reference", reference).await?;
        window
            .attribute_is("case-handover", "data-urged", urged)
            .await?;
    }
    let told = window.part("case-phone-code").await?.text().await?;
    window.click("case-handover").await?;
    window.shows(&late).await?;
    assert_eq!(told.len(), "ABCD EFGH".len());
    window.reads("handover-code", &told).await?;
    window.click("handover-write").await?;
    let waiting = unsent_count(&desk)?;
    window
        .attribute_is("handover-written", "data-events", &waiting.to_string())
        .await?;
    let slip = window.part("handover-slip").await?.text().await?;
    let file = eventually("the file", std::time::Duration::from_secs(20), || async {
        let mut written = std::fs::read_dir(desk.data.join("bundles"))
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()));
        Ok(written.find(|path| path.extension().is_some_and(|end| end == "suda")))
    })
    .await?;
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    for stands in [&name, &late, &told] {
        assert!(slip.contains(stands), "{slip}");
    }
    for personal in ["钱", "13800138077", "宽带断"] {
        assert!(!slip.contains(personal), "{slip}");
    }

    let back = dir.join("back.suda");
    output(
        hub_bundle(&city, "import", &file)
            .arg("--receipts")
            .arg(&back),
    )?;
    choose(&window, &file).await?;
    window
        .attribute_is("error", "data-code", "bundle_unreadable")
        .await?;
    choose(&window, &back).await?;
    window
        .attribute_is("handover-confirmed", "data-left", "0")
        .await?;
    window.picture("desk-handover").await?;
    window
        .attribute_is("status-unsent", "data-unsent", "0")
        .await?;
    window.close().await?;
    city.start_hub()?;
    desk.sync()?;
    assert_eq!(city.hub_status()?["complaints"], 2);
    verified(&city, &desk)
}
