//! The program's commands with `--database`: a new hub, several processes, a
//! hub moved from a directory, a database put back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use suda_domain::{Grade, Lane};
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::{Devices as _, Directory as _, Lists as _, Reader, Scope, Upkeep as _};
use suda_sync::statistics::{Counts, DayName, DayTotals, DeskStanding};
use suda_sync::{Ask, Reply};
use suda_test_postgres::PrivatePostgres;
use support::{TestClock, TestHub, morning};

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_suda-hub"))
        .args(arguments)
        .env_remove("SUDA_HUB_DATA")
        .env_remove("SUDA_HUB_DATABASE")
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
    text.trim_end()
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned()
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

fn serve(url: &str) -> (Server, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_suda-hub"))
        .args(["serve", "--listen", "127.0.0.1:0", "--database", url])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap();
    let address = address.to_owned();
    (Server(child), address)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_work_on_a_database_beside_any_number_of_processes() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("commands").unwrap();
    let on = |arguments: &[&str]| program(&[arguments, &["--database", &url]].concat());
    assert!(error(&on(&["status"])).contains("suda-hub init"));
    assert!(error(&program(&["status"])).contains("--data"));
    let made = json(&on(&["init", "--demo", "--json"]));
    assert!(made["accounts"].as_array().unwrap().len() > 5);
    assert!(error(&on(&["init"])).contains("lives there already"));
    let check = |branch: &str| {
        json(&on(&["branch", "add", branch, "新厅", "--json"]));
        assert!(error(&on(&["branch", "add", branch, "新厅"])).contains("already"));
        assert!(json(&on(&["enrol", branch, "--json"]))["code"].is_string());
        assert_eq!(json(&on(&["status", "--json"]))["complaints"], 0);
        assert_eq!(json(&on(&["verify", "--json"]))["ok"], true);
    };
    check("CQ0200");
    let processes = [serve(&url), serve(&url)];
    check("CQ0201");
    for (_, address) in &processes {
        let page = reqwest::get(format!("http://{address}/readyz")).await;
        assert_eq!(page.unwrap().status(), 200);
    }
    assert!(error(&on(&["renew"])).contains("is serving from this database"));
    assert!(error(&on(&["backup", "/nowhere/x"])).contains("PostgreSQL's own tools"));
    assert!(error(&on(&["restore", "/nowhere/x"])).contains("suda-hub renew"));
    drop(processes);
    // The server notices the end of the killed ones a moment later.
    let renewed = std::iter::repeat_with(|| on(&["renew", "--json"]))
        .take(50)
        .find(|output| output.status.success());
    assert_eq!(json(&renewed.unwrap())["incarnation"], 2);
    // What is wrong with an address is said without the address.
    let secret = "postgres://suda:s3cret@127.0.0.1:1/x";
    let unreachable = program(&["status", "--database", secret]);
    let all = [unreachable.stdout.clone(), unreachable.stderr.clone()].concat();
    assert!(!String::from_utf8_lossy(&all).contains("s3cret"));
    assert!(!error(&unreachable).is_empty());
}

/// A stopped hub in a directory, with complaints, a quarantined record, a
/// claim and guidance.
async fn lived_in() -> (
    tempfile::TempDir,
    suda_domain::ComplaintId,
    support::FakeDesk,
) {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(morning(), "家里的宽带断了", Grade::Two).await;
    desk.hand_off(morning(), "多扣话费", Grade::Three).await;
    let (_, _, mut events) = desk.pen.record(
        morning(),
        support::intake("要隔离的"),
        Grade::Three,
        suda_domain::Complexity::Simple,
    );
    // Its contents do not give its hash.
    events[1].hash = events[0].hash;
    let receipt = desk.batch(Lane::Ordinary, 5, events).await;
    assert_eq!(receipt.verdicts.len(), 2);
    let days = vec![a_day()];
    assert!(matches!(
        desk.ask(Ask::Statistics { days }).await,
        Reply::Statistics(_)
    ));
    let expert = hub.sign_in("expert").await;
    expert
        .post(
            &format!("/api/complaints/{id}/claim"),
            serde_json::json!({}),
        )
        .await;
    (hub.stop().await.unwrap(), id, desk)
}

fn a_day() -> DayTotals {
    DayTotals {
        name: DayName {
            incarnation: 1,
            day: morning().date_naive(),
        },
        revision: 4,
        counts: Counts {
            forms_saved: 12,
            ..Counts::default()
        },
        standing: DeskStanding {
            version: "0.1.0".into(),
            ..DeskStanding::default()
        },
    }
}

/// The desks as the command tells them, without the moment.
fn desks(place: [&str; 2]) -> Value {
    let mut report = json(&program(&["desks", "--json", place[0], place[1]]));
    report.as_object_mut().unwrap().remove("now");
    report
}

fn migrate(dir: &Path, url: &str) -> Output {
    program(&[
        "migrate-store",
        "--json",
        "--from",
        "sqlite",
        "--to",
        url,
        "--data",
        dir.to_str().unwrap(),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_moves_to_postgresql_with_everything_and_its_desks_go_on() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("moved").unwrap();
    let (dir, id, mut desk) = lived_in().await;
    let before = json(&program(&[
        "status",
        "--json",
        "--data",
        dir.path().to_str().unwrap(),
    ]));
    let desks_before = desks(["--data", dir.path().to_str().unwrap()]);
    assert_eq!(desks_before["desks"][0]["standing"]["version"], "0.1.0");
    let table = program(&["desks", "--data", dir.path().to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("CQ0101-A"));
    let moved = json(&migrate(dir.path(), &url));
    assert_eq!(moved["rows"]["desk_day"], 1);
    assert_eq!(desks(["--database", &url]), desks_before);
    assert_eq!(moved["events"], before["events"]);
    assert_eq!(moved["rows"]["quarantine"], 1);
    assert_eq!(moved["rows"]["lease"], 1);
    let after = json(&program(&["status", "--json", "--database", &url]));
    assert_eq!(after, before);
    assert_eq!(
        json(&program(&["verify", "--json", "--database", &url]))["ok"],
        true
    );

    // Nobody serves from the old one by mistake, and it is still there.
    let old = program(&["serve", "--data", dir.path().to_str().unwrap()]);
    assert!(error(&old).contains("there is no hub in this directory"));
    assert!(Path::new(moved["kept"].as_str().unwrap()).exists());
    // Not a second time.
    let (other, _, _) = lived_in().await;
    assert!(error(&migrate(other.path(), &url)).contains("not empty"));
    assert!(other.path().join("hub.db").exists());

    let store = PostgresStore::open(&url).await.unwrap();
    let words = suda_domain::text::shingles("宽带");
    let found = store
        .search(&words, &Scope::Everything, 10, Reader::Program)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].lease_until.is_some());
    assert_eq!(
        store.watermarks(desk.enrolled.device, 1).await.unwrap(),
        [2, 6, 0, 0]
    );
    store.close().await;
    // The desk's next batch continues its lanes at the moved hub.
    let hub = TestHub::over(&url, TestClock::new()).await;
    desk.at(&hub);
    let next = desk.hand_off(morning(), "又断了", Grade::Two).await;
    assert!(
        hub.hub
            .store
            .complaint(next, Reader::Program)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(
        hub.hub
            .store
            .timeline(id, Reader::Program)
            .await
            .unwrap()
            .len(),
        5
    );
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_refused_beside_a_running_hub_and_from_a_damaged_one() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("refused").unwrap();
    let (dir, _, _) = lived_in().await;
    let running = TestHub::start_in(dir.path(), TestClock::new()).await;
    assert!(error(&migrate(dir.path(), &url)).contains("another suda-hub"));
    running.stop().await;
    let altered = "UPDATE log SET body = replace(body, '宽带', '宽帯') WHERE seq = 3";
    let file = format!("sqlite://{}", dir.path().join("hub.db").display());
    let mut connection = SqliteConnection::connect(&file).await.unwrap();
    sqlx::raw_sql(altered)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    assert!(error(&migrate(dir.path(), &url)).contains("log seq 3"));
    let store = PostgresStore::open(&url).await.unwrap();
    assert!(!store.is_initialised().await.unwrap(), "nothing was moved");
}

/// Additions to one store that the other lacks would be left behind by a move.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_refused_when_the_stores_have_grown_apart() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("apart").unwrap();
    PostgresStore::open(&url).await.unwrap().close().await;
    let mut operator = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("ALTER TABLE staff ADD COLUMN telephone text")
        .execute(&mut operator)
        .await
        .unwrap();
    let (dir, _, _) = lived_in().await;
    assert!(error(&migrate(dir.path(), &url)).contains("staff.telephone"));
    assert!(dir.path().join("hub.db").exists());
}
