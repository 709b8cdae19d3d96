//! The programs on a terminal: rows in, synced, counted on both sides, verified;
//! nothing acknowledged lost however often the program is killed; bad input
//! answered with a sentence.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use suda_tests::{City, Failure, Running, bin, output, output_raw};

type Done = Result<(), Failure>;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/complaints.csv")
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The sentence a program failed with.
fn complaint_of(command: &mut Command) -> String {
    let done = output_raw(command).unwrap();
    let error = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        !done.status.success(),
        "{command:?} should fail; it said: {error}"
    );
    assert!(!error.contains("panicked"), "{error}");
    error
}

#[test]
fn imported_rows_reach_the_hub_and_both_ledgers_verify() -> Done {
    let city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    let rows = lines(&output(desk.command("import").arg(sample()).arg("--json"))?);
    assert_eq!(rows.len(), 24);
    assert_eq!(
        rows.iter()
            .map(|row| row["reference"].as_str())
            .collect::<BTreeSet<_>>()
            .len(),
        24
    );
    desk.sync()?;

    let here = desk.status()?;
    let there = city.hub_status()?;
    assert_eq!(
        (here["complaints"].as_u64(), there["complaints"].as_u64()),
        (Some(24), Some(24))
    );
    assert_eq!(here["by_state"], there["by_state"], "{here} {there}");
    assert_eq!(
        here["unsent"],
        serde_json::json!({"lane0": 0, "lane1": 0, "lane2": 0, "lane3": 0})
    );
    assert!(
        there["queued"].as_u64() > Some(0) && there["quarantined"] == 0,
        "{there}"
    );
    output(&mut desk.command("verify"))?;
    output(
        Command::new(bin("suda-hub"))
            .arg("verify")
            .arg("--data")
            .arg(city.hub_data()),
    )?;

    // A second desk of the same branch has the common backlog.
    let second = city.desk(&city.branch()?, "second")?;
    second.sync()?;
    assert_eq!(second.status()?["by_state"], here["by_state"]);
    output(&mut second.command("verify"))?;
    Ok(())
}

#[test]
fn recording_goes_on_without_the_hub_and_everything_arrives_when_it_is_back() -> Done {
    let mut city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    city.kill_hub();
    output(desk.command("import").arg(sample()).arg("--json"))?;
    let waiting = desk.status()?;
    assert!(
        waiting["unsent"]["lane0"].as_u64() > Some(0) && !waiting["oldest_unsent_at"].is_null()
    );
    let error = complaint_of(desk.command("sync").arg("--once"));
    assert!(error.contains("hub"), "{error}");
    city.start_hub()?;
    desk.sync()?;
    assert_eq!(city.hub_status()?["complaints"], 24);
    assert!(desk.status()?["oldest_unsent_at"].is_null());
    Ok(())
}

/// Ten times killed at a random moment, each time resumed: every number that
/// was printed is there, and no row is there twice.
#[test]
fn ten_kills_during_import_lose_nothing_acknowledged_and_double_nothing() -> Done {
    let city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    let file = city.dir.path().join("rows.csv");
    let mut rows = std::fs::File::create(&file).map_err(Failure::io("the rows"))?;
    writeln!(rows, "text,remedy").unwrap();
    for n in 0..4_000 {
        writeln!(rows, "第{n}号：营业员态度不好,道歉").unwrap();
    }
    drop(rows);

    let mut acknowledged = BTreeSet::new();
    let mut killed = 0;
    for round in 0..40 {
        let printed = city.dir.path().join(format!("printed-{round}"));
        let out = std::fs::File::create(&printed).map_err(Failure::io("the output"))?;
        let mut child = desk
            .command("import")
            .arg(&file)
            .args(["--json", "--resume"])
            .stdout(out)
            .stderr(Stdio::null())
            .spawn()
            .map_err(Failure::io("the import"))?;
        // Killed as soon as this round has printed its share; the last ones run to the end.
        let finished = loop {
            if let Some(status) = child.try_wait().map_err(Failure::io("the import"))? {
                break Some(status);
            }
            let size = std::fs::metadata(&printed).map_or(0, |m| m.len());
            if killed < 10 && size > 2_000 * (round % 5) {
                break None;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        if finished.is_none() {
            child.kill().map_err(Failure::io("killing"))?;
            child.wait().map_err(Failure::io("killing"))?;
            killed += 1;
        }
        let text = std::fs::read_to_string(&printed).map_err(Failure::io("the output"))?;
        // The last line may be cut short by the kill; then it was not acknowledged.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in lines(whole) {
            assert!(
                acknowledged.insert(line["reference"].as_str().unwrap().to_owned()),
                "{line}"
            );
        }
        if finished.is_some_and(|status| status.success()) {
            break;
        }
    }
    assert_eq!(killed, 10);
    let stored: BTreeSet<String> = lines(&output(desk.command("list").arg("--json"))?)
        .iter()
        .map(|row| row["reference"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(stored.len(), 4_000);
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    output(&mut desk.command("verify"))?;
    Ok(())
}

#[test]
fn bad_files_are_answered_with_a_sentence_and_good_rows_are_kept() -> Done {
    let city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    let write = |name: &str, bytes: &[u8]| {
        let path = city.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let import = |path: &Path| {
        desk.command("import")
            .arg(path)
            .arg("--json")
            .output()
            .unwrap()
    };

    // A byte order mark, quotes and line breaks in cells, Windows line ends.
    let path = write(
        "bom.csv",
        "\u{feff}内容,诉求\r\n\"第一行\n说\"\"不行\"\"\",退款\r\n".as_bytes(),
    );
    let done = import(&path);
    assert!(done.status.success(), "{done:?}");
    // GB18030: 内容 / 网络太慢.
    let path = write(
        "gb.csv",
        b"\xc4\xda\xc8\xdd\n\xcd\xf8\xc2\xe7\xcc\xab\xc2\xfd\n",
    );
    assert!(import(&path).status.success());
    let found = lines(&output(desk.command("search").arg("网络").arg("--json"))?);
    assert_eq!(found.len(), 1);

    // One good row among bad ones: empty, a megabyte, the future, a wrong phone.
    let huge = "诉".repeat(350_000);
    let path = write(
        "mixed.csv",
        format!("text,phone,received_at\n,13800138000,\n{huge},,\n好的一行,13800138000,\n将来,,2099-01-01\n错号,12345,\n").as_bytes(),
    );
    let done = import(&path);
    let errors = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(
        String::from_utf8_lossy(&done.stdout).lines().count(),
        1,
        "{errors}"
    );
    for line in ["2", "3", "5", "6"] {
        assert!(
            errors.lines().any(|l| l.contains(line)),
            "line {line} is not named in: {errors}"
        );
    }
    assert!(
        !errors.contains("12345"),
        "a phone number in an error text: {errors}"
    );

    let missing = complaint_of(
        desk.command("import")
            .arg(write("columns.csv", b"a,b\n1,2\n")),
    );
    assert!(missing.contains("text"), "{missing}");
    complaint_of(
        desk.command("import")
            .arg(write("none.csv", b"text,remedy\n")),
    );
    complaint_of(desk.command("import").arg(write("empty.csv", b"")));
    complaint_of(
        desk.command("import")
            .arg(city.dir.path().join("nowhere.csv")),
    );
    output(&mut desk.command("verify"))?;
    Ok(())
}

#[test]
fn a_wrong_hub_a_wrong_code_and_a_used_code_are_told_apart() -> Done {
    let city = City::start()?;
    let branch = city.branch()?;
    let code = city.code(&branch)?;
    let enrol = |name: &str, hub: &str, code: &str| {
        let mut command = Command::new(bin("suda-desk"));
        command.args(["enrol", "--hub", hub, "--code", code]);
        command.arg("--data").arg(city.dir.path().join(name));
        command
            .arg("--key-file")
            .arg(city.dir.path().join(format!("{name}.key")));
        command
    };
    let url = city.url();
    let unknown = complaint_of(&mut enrol("a", &url, "WRONG-CODE"));
    output(&mut enrol("b", &url, &code))?;
    let used = complaint_of(&mut enrol("c", &url, &code));
    let nobody = complaint_of(&mut enrol("d", "http://127.0.0.1:9", &code));
    let nonsense = complaint_of(&mut enrol("e", "not an address", &code));
    let html = complaint_of(&mut enrol("f", &format!("{url}/console"), &code));
    let sentences = BTreeSet::from([unknown, used, nobody, nonsense, html]);
    assert_eq!(sentences.len(), 5, "{sentences:#?}");
    Ok(())
}

#[test]
fn a_second_program_on_the_same_data_and_a_wrong_key_are_refused() -> Done {
    let city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    output(desk.command("import").arg(sample()))?;
    let other = city.dir.path().join("other.key");
    std::fs::write(&other, "ab".repeat(32)).map_err(Failure::io("a key"))?;
    let mut wrong = Command::new(bin("suda-desk"));
    wrong
        .arg("list")
        .arg("--data")
        .arg(&desk.data)
        .arg("--key-file")
        .arg(&other);
    let said = complaint_of(&mut wrong);
    assert!(said.contains("key"), "{said}");

    // The first may itself meet a probe that holds the lock; then it starts again.
    let sync = || {
        Running::start(
            desk.command("sync")
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )
    };
    let mut first = sync()?;
    let until = Instant::now() + Duration::from_secs(30);
    let second = loop {
        let done = output_raw(desk.command("import").arg(sample()))?;
        if !done.status.success() || Instant::now() > until {
            break done;
        }
        if first.has_ended()? {
            first = sync()?;
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another window or program"), "{said}");
    first.kill();
    assert!(!second.status.success());
    Ok(())
}

#[test]
fn a_changed_byte_is_found_and_named() -> Done {
    let city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    output(desk.command("import").arg(sample()))?;
    let file = std::fs::read_dir(&desk.data)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "db" || e == "sqlite"))
        .max_by_key(|path| std::fs::metadata(path).map_or(0, |m| m.len()))
        .unwrap();
    let sound = std::fs::read(&file).unwrap();
    // Tables, indexes and the search alike, wherever they stand.
    for place in 1..8 {
        let mut bytes = sound.clone();
        bytes[sound.len() / 8 * place] ^= 0x40;
        std::fs::write(&file, bytes).unwrap();
        let said = complaint_of(&mut desk.command("verify"));
        assert!(said.contains("damaged"), "{place}: {said}");
    }
    std::fs::write(&file, sound).unwrap();
    output(&mut desk.command("verify"))?;
    Ok(())
}
