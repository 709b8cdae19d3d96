//! Backup and restore on the command line, and a program killed while it works.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{CODE, Hub};

fn program(dir: &Path, command: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_suda-desk"));
    program.arg(command).arg("--data").arg(dir.join("data"));
    program.arg("--key-file").arg(dir.join("key"));
    program
}

async fn run(dir: &Path, command: &str, arguments: &[&str]) -> Output {
    let mut program = program(dir, command);
    program.args(arguments);
    tokio::task::spawn_blocking(move || program.output().unwrap())
        .await
        .unwrap()
}

async fn answers(dir: &Path, command: &str, arguments: &[&str]) -> (Vec<Value>, String) {
    let output = run(dir, command, arguments).await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{command}: {told}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines();
    let values = lines.map(|line| serde_json::from_str(line).unwrap());
    (values.collect(), told)
}

async fn enrolled() -> (TempDir, Hub) {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start().await;
    answers(
        dir.path(),
        "enrol",
        &["--hub", &hub.url, "--code", CODE, "--json"],
    )
    .await;
    (dir, hub)
}

fn rows(dir: &Path, name: &str, count: usize) -> String {
    let rows: String = (1..=count)
        .map(|n| format!("{name}第{n}条 宽带断网,2020-01-01 08:00:00\n"))
        .collect();
    let file = dir.join(format!("{name}.csv"));
    std::fs::write(&file, format!("text,time\n{rows}")).unwrap();
    file.to_str().unwrap().to_owned()
}

async fn complaints(dir: &Path) -> u64 {
    answers(dir, "status", &["--json"]).await.0[0]["complaints"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn backup_and_restore_bring_back_the_backup_and_what_came_after() {
    let (dir, _hub) = enrolled().await;
    let dir = dir.path();
    answers(dir, "import", &[&rows(dir, "a", 5), "--json"]).await;
    let copy = dir.join("copy.db");
    let copy = copy.to_str().unwrap();
    let (told, _) = answers(dir, "backup", &[copy, "--json"]).await;
    assert_eq!(told[0]["events"], 15);
    let again = run(dir, "backup", &[copy]).await;
    assert!(
        !again.status.success(),
        "an existing file is not written over"
    );
    answers(dir, "import", &[&rows(dir, "b", 3), "--json"]).await;
    let (told, _) = answers(dir, "restore", &[copy, "--json"]).await;
    assert_eq!(told[0]["complaints"], 8, "three of them from the journal");
    assert_eq!(told[0]["incarnation"], 1);
    assert_eq!(told[0]["awaits_hub"], false);
    assert!(dir.join("data/quarantine/0001/suda.db").exists());
    assert_eq!(complaints(dir).await, 8);

    // The control: without the journal the three are lost, and that is told.
    std::fs::remove_dir_all(dir.join("data/journal")).unwrap();
    let (told, _) = answers(dir, "restore", &[copy, "--json"]).await;
    assert_eq!(told[0]["complaints"], 5);
    assert_eq!(told[0]["incarnation"], 2);
    assert_eq!(told[0]["awaits_hub"], true);
    assert!(dir.join("data/quarantine/0002/suda.db").exists());
    assert!(run(dir, "verify", &[]).await.status.success());
    answers(dir, "import", &[&rows(dir, "c", 1), "--json"]).await;
    let numbers = answers(dir, "list", &["--json"]).await.0;
    let lists = numbers.iter().map(|row| row["reference"].as_str().unwrap());
    let different: std::collections::BTreeSet<&str> = lists.collect();
    assert_eq!(different.len(), 6);
}

#[tokio::test]
async fn a_damaged_file_is_put_right_with_one_line_and_an_import_goes_on_without_doubling() {
    const ROWS: usize = 600;
    let (dir, _hub) = enrolled().await;
    let dir = dir.path();
    let file = rows(dir, "a", ROWS);
    let mut program = program(dir, "import");
    program
        .args([&file, "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let told = tokio::task::spawn_blocking(move || {
        let mut child = program.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told: Vec<String> = lines.by_ref().take(40).map(Result::unwrap).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        told.extend(
            lines
                .map_while(Result::ok)
                .filter(|line| line.ends_with('}')),
        );
        told
    })
    .await
    .unwrap();
    assert!(told.len() < ROWS);
    // The power cut took the database with it. No backup was taken yet.
    std::fs::write(dir.join("data/suda.db"), "gone").unwrap();
    let (resumed, line) = answers(dir, "import", &[&file, "--resume", "--json"]).await;
    let about_data: Vec<&str> = line.lines().filter(|l| l.contains("put back")).collect();
    assert_eq!(about_data.len(), 1, "{line}");
    let listed = answers(dir, "list", &["--json"]).await.0;
    assert_eq!(listed.len(), ROWS, "none lost, none doubled");
    let known: Vec<&Value> = listed.iter().map(|row| &row["reference"]).collect();
    for line in &told {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(known.contains(&&row["reference"]), "lost {line}");
    }
    assert!(resumed.len() <= ROWS - told.len());
    assert!(run(dir, "verify", &[]).await.status.success());
}

#[tokio::test]
async fn a_second_place_is_set_and_the_backups_listed() {
    let (dir, _hub) = enrolled().await;
    let dir = dir.path();
    let second = dir.join("second");
    let set = ["--second", second.to_str().unwrap(), "--json"];
    assert_eq!(answers(dir, "backups", &set).await.0.len(), 0);
    let identity = std::fs::read_to_string(dir.join("data/desk.json")).unwrap();
    assert!(identity.contains("second_place"), "{identity}");
    answers(dir, "backups", &["--no-second"]).await;
    let identity = std::fs::read_to_string(dir.join("data/desk.json")).unwrap();
    assert!(!identity.contains("second_place"), "{identity}");
}
