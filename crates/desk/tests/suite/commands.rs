//! The program `suda-desk` as others call it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{CODE, Hub};

/// The program with the directory and key of this test.
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

async fn lines(dir: &Path, command: &str, arguments: &[&str]) -> Vec<Value> {
    let output = run(dir, command, arguments).await;
    assert!(
        output.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The one line a failed command leaves on standard error.
async fn failure(dir: &Path, command: &str, arguments: &[&str]) -> String {
    let output = run(dir, command, arguments).await;
    assert!(!output.status.success(), "{command} should have failed");
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    text
}

async fn enrolled() -> (TempDir, Hub) {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::start().await;
    let enrol = lines(
        dir.path(),
        "enrol",
        &["--hub", &hub.url, "--code", CODE, "--json"],
    )
    .await;
    assert_eq!(enrol[0]["desk_letter"], "A");
    (dir, hub)
}

fn write_rows(dir: &Path, count: usize) -> String {
    let rows: String = (1..=count)
        .map(|n| format!("第{n}条 宽带断网,2020-01-01 08:00:00\n"))
        .collect();
    let file = dir.join("rows.csv");
    std::fs::write(&file, format!("text,time\n{rows}")).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_contract_from_enrolment_to_verification() {
    let (dir, _hub) = enrolled().await;
    let dir = dir.path();
    let file = write_rows(dir, 12);
    let rows = lines(dir, "import", &[&file, "--json"]).await;
    assert_eq!(rows.len(), 12);
    assert_eq!(rows[11]["row"], 12);
    let reference = rows[11]["reference"].as_str().unwrap();

    let status = &lines(dir, "status", &["--json"]).await[0];
    let keys: Vec<&String> = status.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "by_state",
            "clock",
            "complaints",
            "device",
            "evidence_waiting",
            "evidence_waiting_bytes",
            "hub_epoch",
            "incarnation",
            "last_receipt_at",
            "next_deadline",
            "oldest_unsent_at",
            "statistics",
            "unsent"
        ]
    );
    assert_eq!(status["complaints"], 12);
    let unsent = &status["unsent"];
    let total: u64 = (0..4)
        .map(|lane| unsent[format!("lane{lane}")].as_u64().unwrap())
        .sum();
    assert_eq!(total, 36);

    let sync = lines(dir, "sync", &["--once", "--json"]).await;
    assert_eq!(sync[0]["sent"], 36);
    let status = &lines(dir, "status", &["--json"]).await[0];
    assert_eq!(status["oldest_unsent_at"], Value::Null);
    assert!(status["last_receipt_at"].is_string());

    assert_eq!(lines(dir, "list", &["--json"]).await.len(), 12);
    assert_eq!(lines(dir, "search", &["第12条", "--json"]).await.len(), 1);
    let shown = lines(dir, "show", &[reference, "--json"]).await;
    assert_eq!(shown[0]["row"]["id"], rows[11]["id"]);
    assert_eq!(shown[0]["late"], true);
    assert_eq!(lines(dir, "verify", &["--json"]).await[0]["bad"], 0);
    for command in ["status", "list", "verify"] {
        assert!(run(dir, command, &[]).await.status.success());
    }
}

#[tokio::test]
async fn failures_are_one_clear_line() {
    let (dir, hub) = enrolled().await;
    let dir = dir.path();
    let again = failure(dir, "enrol", &["--hub", &hub.url, "--code", CODE]).await;
    assert!(again.contains("already enrolled"), "{again}");
    let missing = failure(dir, "import", &["/nowhere.csv"]).await;
    assert!(missing.contains("/nowhere.csv"), "{missing}");
    let file = dir.join("other.csv");
    std::fs::write(&file, "a,b\n1,2\n").unwrap();
    let column = failure(dir, "import", &[file.to_str().unwrap()]).await;
    assert!(column.contains("--columns text="), "{column}");
    assert!(
        failure(dir, "show", &["CQ"])
            .await
            .contains("BRANCH-YYMMDD")
    );
    let empty = dir.join("empty");
    let nothing = failure(&empty, "status", &[]).await;
    assert!(nothing.contains("enrol"), "{nothing}");

    drop(hub);
    let fresh = tempfile::tempdir().unwrap();
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let down = failure(fresh.path(), "enrol", &["--hub", &url, "--code", CODE]).await;
    assert!(down.contains("cannot be reached"), "{down}");
}

#[tokio::test]
async fn killed_while_importing_nothing_told_is_lost_and_resume_completes() {
    const ROWS: usize = 1500;
    let (dir, _hub) = enrolled().await;
    let dir = dir.path();
    let file = write_rows(dir, ROWS);
    let mut program = program(dir, "import");
    program
        .args([&file, "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let told = tokio::task::spawn_blocking(move || {
        let mut child = program.spawn().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told: Vec<String> = answers.by_ref().take(40).map(Result::unwrap).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        // What was written before the end is still in the pipe; its last line may be cut.
        told.extend(
            answers
                .map_while(Result::ok)
                .filter(|line| line.ends_with('}')),
        );
        told
    })
    .await
    .unwrap();
    assert!(told.len() >= 40 && told.len() < ROWS, "{}", told.len());
    let listed = lines(dir, "list", &["--json"]).await;
    let known: Vec<&Value> = listed.iter().map(|row| &row["reference"]).collect();
    for line in &told {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(known.contains(&&row["reference"]), "lost {line}");
    }
    assert!(run(dir, "verify", &[]).await.status.success());
    let resumed = lines(dir, "import", &[&file, "--resume", "--json"]).await;
    assert_eq!(resumed.len() + listed.len(), ROWS);
    assert_eq!(
        lines(dir, "status", &["--json"]).await[0]["complaints"],
        ROWS
    );
    assert!(run(dir, "verify", &[]).await.status.success());
}
