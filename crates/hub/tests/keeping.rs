//! What keeps a ledger: checks that find any change, copies that come back,
//! and the program's commands beside a running hub and without one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};
use suda_domain::{Grade, Lane};
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Directory as _, Reader, Upkeep as _};
use suda_sync::Verdict;
use support::{TestClock, TestHub, morning};

/// A stopped hub with two complaints in it.
async fn kept() -> tempfile::TempDir {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(morning(), "宽带断了", Grade::Two).await;
    desk.hand_off(morning(), "多扣话费", Grade::Three).await;
    hub.stop().await.unwrap()
}

async fn fault_after(sql: &'static str) -> Option<String> {
    let dir = kept().await;
    let url = format!("sqlite://{}", dir.path().join("hub.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let store = SqliteStore::open(dir.path(), false).await.unwrap();
    let verified = store.verify().await.unwrap();
    verified
        .fault
        .map(|fault| format!("{}: {}", fault.row, fault.reason))
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_the_first_row_that_was_altered() {
    for (sql, expected) in [
        ("SELECT 1", None),
        (
            "UPDATE log SET body = replace(body, '宽带', '宽帯') WHERE seq = 3",
            Some("log seq 3: the contents do not give the hash"),
        ),
        (
            "UPDATE log SET chain = zeroblob(32) WHERE seq = 5",
            Some("log seq 5: the hub's chain is broken here"),
        ),
        (
            "DELETE FROM log WHERE seq = 4",
            Some("log seq 5: line 4 is missing"),
        ),
        ("DELETE FROM log WHERE seq = 8", Some("lane 1 of device")),
        (
            "UPDATE log SET branch = 'CQ0102' WHERE seq = 1",
            Some("log seq 1: the columns do not say"),
        ),
        (
            "UPDATE complaint SET state = 'closed' WHERE rank = 2",
            Some("complaint CQ0101-260721-A-0001"),
        ),
        (
            "UPDATE complaint SET body = replace(body, '宽带', '宽帯')",
            Some("complaint CQ0101-260721-A-0001"),
        ),
        (
            "UPDATE lane_head SET n = 9 WHERE lane = 0",
            Some("lane 0 of device"),
        ),
        ("DELETE FROM complaint WHERE rank = 3", Some("complaint ")),
    ] {
        let found = fault_after(sql).await;
        match (expected, &found) {
            (None, None) => {}
            (Some(expected), Some(found)) => assert!(found.starts_with(expected), "{sql}: {found}"),
            _ => panic!("{sql}: {found:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_hub_has_a_new_epoch_and_gets_again_what_it_forgot() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(morning(), "宽带断了", Grade::Two).await;
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("hub.backup");
    hub.hub.store.backup(&copy).await.unwrap();
    assert!(
        hub.hub.store.backup(&copy).await.is_err(),
        "a backup is not overwritten"
    );

    let before = desk.hello().await;
    let (id, _, events) = desk.pen.record(
        morning(),
        support::intake("多扣话费"),
        Grade::Three,
        suda_domain::Complexity::Simple,
    );
    desk.batch(Lane::Ordinary, 3, events.clone()).await;
    let dir = hub.stop().await.unwrap();
    let kept = suda_hub::store::sqlite::restore(&copy, dir.path(), "second".into(), morning())
        .await
        .unwrap();
    assert!(kept.unwrap().exists());

    let hub = TestHub::start_in(dir.path(), TestClock::new()).await;
    assert_eq!(hub.hub.identity.incarnation, 2);
    desk.at(&hub);
    let after = desk.hello().await;
    assert_ne!(before.epoch, after.epoch);
    assert_eq!(after.watermarks, [1, 2, 0, 0]);
    assert_eq!(
        desk.batch(Lane::Ordinary, 3, events).await.verdicts,
        vec![Verdict::Applied; 2]
    );
    assert!(
        hub.hub
            .store
            .complaint(id, Reader::Program)
            .await
            .unwrap()
            .is_some()
    );
    let second = desk.hand_off(morning(), "换卡", Grade::Two).await;
    assert_eq!(
        hub.hub
            .store
            .timeline(second, Reader::Program)
            .await
            .unwrap()
            .len(),
        4
    );
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
    hub.stop().await;

    let damaged = copies.path().join("damaged");
    let mut bytes = std::fs::read(&copy).unwrap();
    let needle = "宽带断了".as_bytes();
    let at = bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap();
    bytes[at] ^= 1;
    std::fs::write(&damaged, bytes).unwrap();
    let refused =
        suda_hub::store::sqlite::restore(&damaged, dir.path(), "third".into(), morning()).await;
    assert!(
        refused.is_err(),
        "a flipped byte is found before anything is replaced"
    );
    let store = SqliteStore::open(dir.path(), false).await.unwrap();
    assert_eq!(store.identity().await.unwrap().epoch, "second");
}

fn program(arguments: &[&str], data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suda-hub"));
    command
        .args(arguments)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn error(output: &Output) -> String {
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "one line: {text}");
    text
}

/// Ends with the test, whatever happens.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait().map(drop)) {
            eprintln!("the hub did not end: {error}");
        }
    }
}

fn serve(data: &Path, more: &[&str]) -> (Server, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_suda-hub"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim()
        .strip_prefix("listening on ")
        .unwrap()
        .to_owned();
    (Server(child), address)
}

#[test]
fn the_commands_work_without_a_running_hub_and_beside_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("hub");
    assert!(error(&program(&["status"], &data)).contains("suda-hub init"));
    let made = json(&program(&["init", "--demo", "--json"], &data));
    let accounts = made["accounts"].as_array().unwrap();
    for role in [
        "clerk",
        "branch_manager",
        "expert",
        "department",
        "management",
        "auditor",
        "administrator",
    ] {
        assert!(
            accounts
                .iter()
                .any(|a| a["role"] == role && a["password"].is_string()),
            "{role}"
        );
    }
    assert!(error(&program(&["init"], &data)).contains("lives there already"));
    private_to_owner(&data);

    let check = |place: &str, expected_devices: u64| {
        let status = json(&program(&["status", "--json"], &data));
        let keys: Vec<_> = status
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            keys,
            [
                "by_state",
                "claimed",
                "complaints",
                "devices",
                "events",
                "quarantined",
                "quarantined_waiting",
                "quarantined_waiting_long",
                "queued"
            ]
        );
        assert_eq!(status["devices"], expected_devices, "{place}");
        let code = json(&program(&["enrol", "CQ0101", "--json"], &data));
        assert!(code["code"].is_string() && code["expires_at"].is_string());
        assert_eq!(json(&program(&["verify", "--json"], &data))["ok"], true);
        assert!(error(&program(&["enrol", "XX99", "--json"], &data)).contains("no branch XX99"));
        let copy = dir.path().join(format!("{place}.backup"));
        json(&program(
            &["backup", copy.to_str().unwrap(), "--json"],
            &data,
        ));
        assert!(
            error(&program(&["backup", copy.to_str().unwrap()], &data)).contains("exists already")
        );
    };
    json(&program(
        &["branch", "add", "CQ0200", "新厅", "--json"],
        &data,
    ));
    check("without", 0);
    let (server, _) = serve(&data, &[]);
    check("beside", 0);
    assert!(error(&program(&["branch", "add", "CQ0200", "新厅"], &data)).contains("already"));
    json(&program(
        &["branch", "add", "CQ0201", "更新厅", "--json"],
        &data,
    ));
    staff_and_superiors(&data);
    let copy = dir.path().join("beside.backup");
    let restore = ["restore", copy.to_str().unwrap()];
    assert!(error(&program(&restore, &data)).contains("another suda-hub"));
    assert!(
        error(&program(&["serve", "--listen", "127.0.0.1:0"], &data)).contains("another suda-hub")
    );
    // Killed, it leaves its address behind; the next command is not misled.
    drop(server);
    assert_eq!(json(&program(&["verify", "--json"], &data))["ok"], true);
    assert_eq!(
        json(&program(
            &["restore", copy.to_str().unwrap(), "--json"],
            &data
        ))["restored"],
        true
    );
    let other = program(&["status", "--database", "mysql://x"], &data);
    assert!(error(&other).contains("takes a postgres:// address"));
}

#[cfg(unix)]
fn private_to_owner(data: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(data), 0o700);
    assert_eq!(mode(&data.join("hub.db")), 0o600);
}

#[cfg(not(unix))]
fn private_to_owner(_data: &Path) {}

#[tokio::test(flavor = "multi_thread")]
async fn operators_can_look_at_a_running_hub_and_the_console_says_when_its_files_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("hub");
    let ui = dir.path().join("ui");
    std::fs::create_dir_all(ui.join("assets")).unwrap();
    json(&program(&["init", "--demo", "--json"], &data));
    let (_server, address) = serve(&data, &["--ui", ui.to_str().unwrap()]);
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let get = async |path: &str| {
        client
            .get(format!("http://{address}{path}"))
            .send()
            .await
            .unwrap()
    };
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(get(path).await.status(), 200, "{path}");
    }
    assert!(
        get("/metrics")
            .await
            .text()
            .await
            .unwrap()
            .contains("suda_ledger_lines 0")
    );
    let missing = get("/console").await;
    assert_eq!(missing.status(), 503);
    assert!(missing.text().await.unwrap().contains("--ui"));
    std::fs::write(ui.join("console.html"), "<!doctype html>console").unwrap();
    std::fs::write(ui.join("assets/a.js"), "1").unwrap();
    std::fs::write(ui.join("secret"), "1").unwrap();
    let home = get("/").await;
    assert_eq!(
        (home.status().as_u16(), &home.headers()["location"]),
        (303, &"/console".parse().unwrap())
    );
    let page = get("/console/queue/some").await;
    assert_eq!(page.status(), 200);
    assert!(
        page.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'self'")
    );
    assert_eq!(
        get("/assets/a.js").await.headers()["content-type"],
        "text/javascript; charset=utf-8"
    );
    for path in [
        "/assets/%2e%2e/secret",
        "/assets/../secret",
        "/assets/nothing.js",
        "/assets//etc/passwd",
    ] {
        assert_eq!(get(path).await.status(), 404, "{path}");
    }
}

/// Who stands above whom is said and listed by logins.
fn staff_and_superiors(data: &Path) {
    let added = json(&program(
        &[
            "staff",
            "add",
            "zhao",
            "赵敏",
            "--role",
            "clerk",
            "--branch",
            "CQ0200",
            "--superior",
            "admin",
            "--json",
        ],
        data,
    ));
    assert_eq!(added["superior"], "admin");
    assert!(added["password"].is_string(), "told once");
    let above = || {
        let listed = program(&["staff", "list", "--json"], data);
        assert!(listed.status.success());
        let text = String::from_utf8(listed.stdout).unwrap();
        let rows = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let row = rows.into_iter().find(|row| row["login"] == "zhao").unwrap();
        assert!(row.get("password").is_none());
        row["superior"].clone()
    };
    assert_eq!(above(), "admin");
    json(&program(&["staff", "superior", "zhao", "--json"], data));
    assert_eq!(above(), Value::Null);
    json(&program(
        &["staff", "superior", "zhao", "admin", "--json"],
        data,
    ));
    assert_eq!(above(), "admin");
    let circle = program(&["staff", "superior", "admin", "zhao"], data);
    assert!(error(&circle).contains("above themselves"), "{circle:?}");
    let nobody = program(&["staff", "superior", "zhao", "nemo"], data);
    assert!(error(&nobody).contains("nobody signs in as nemo"));
    let help = program(&["staff", "add", "--help"], data);
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .contains("--superior")
    );
}
