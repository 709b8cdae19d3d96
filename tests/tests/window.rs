//! The real window alone: the hour that runs out, a second window, data that
//! cannot be opened, a second click on save.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use suda_tests::{City, DeskDir, Desktop, Display, Failure, Screen, eventually, output};

type Done = Result<(), Failure>;

/// From one sweep of the desk to what the sweep does being seen.
const WITHIN_A_MINUTE: Duration = Duration::from_secs(60);

/// Records a complaint whose customer came so long ago; gives its number.
fn recorded_since(
    city: &City,
    desk: &DeskDir,
    text: &str,
    since: TimeDelta,
) -> Result<String, Failure> {
    let arrived = (Utc::now() - since).to_rfc3339();
    let file = city.dir.path().join("row.csv");
    let row = format!("received_at,text,name,phone\n{arrived},{text},钱小满,13800138077\n");
    std::fs::write(&file, row).map_err(Failure::io("a row"))?;
    let mut import = desk.command("import");
    import.arg(&file).args(["--handoff", "none", "--json"]);
    let printed: Value = serde_json::from_str(&output(&mut import)?)?;
    let reference = printed["reference"].as_str().map(str::to_owned);
    reference.ok_or_else(|| Failure::Said(printed.to_string()))
}

fn minutes(minutes: i64, seconds: i64) -> TimeDelta {
    TimeDelta::minutes(minutes) + TimeDelta::seconds(seconds)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hour_reminds_hands_off_by_itself_and_its_notification_opens_the_case() -> Done {
    let city = City::start()?;
    let branch = city.branch()?;
    let desk = city.desk(&branch, "desk")?;
    let early = recorded_since(&city, &desk, "宽带断了两天", minutes(29, 40))?;
    let last = recorded_since(&city, &desk, "账单多收了三十元", minutes(49, 35))?;
    let (desktop, display) = (Desktop::start().await?, Display::start()?);
    let bus = [("DBUS_SESSION_BUS_ADDRESS", desktop.bus_address())];
    let window = Screen::window_with(&display, &desk, &bus).await?;
    window
        .desk_sign_in(city.account("clerk", Some(&branch))?)
        .await?;

    let reminder = desktop
        .notice(&format!("30 min  {early}"), WITHIN_A_MINUTE)
        .await?;
    assert!(reminder.can_be_clicked, "{reminder:?}");
    desktop.click(&reminder).await?;
    window.reads("case-reference", &early).await?;

    let handed_off = desktop
        .notice(&format!("Handed off  {last}"), WITHIN_A_MINUTE)
        .await?;
    desktop.click(&handed_off).await?;
    window.reads("case-reference", &last).await?;
    window
        .attribute_is("case-state", "data-state", "queued")
        .await?;
    eventually("the experts have it", WITHIN_A_MINUTE, || async {
        Ok((city.hub_status()?["queued"] == 1).then_some(()))
    })
    .await?;
    for notice in desktop.notices() {
        let said = format!("{} {}", notice.title, notice.body);
        let personal = ["钱", "13800138077", "宽带", "账单"];
        assert!(!personal.iter().any(|word| said.contains(word)), "{said}");
    }
    window.close().await
}

async fn refused_with(window: &Screen, code: &str) -> Done {
    window.part("failed").await?;
    window.attribute_is("error", "data-code", code).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_window_says_so_and_opens_when_the_first_is_gone() -> Done {
    let city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    let display = Display::start()?;
    let first = Screen::window(&display, &desk).await?;
    first.part("sign-in").await?;
    let second = Screen::window(&display, &desk).await?;
    refused_with(&second, "in_use").await?;
    second.picture("desk-in-use").await?;
    second.click("failed-again").await?;
    // The same refusal shows while it tries: only its end says that this try
    // cannot meet the first window's going.
    second
        .css("[data-testid=\"failed-again\"]:not(.is-loading)")
        .await?;
    refused_with(&second, "in_use").await?;
    first.close().await?;
    eventually("the second window opens", WITHIN_A_MINUTE, || async {
        if second.has("sign-in").await? {
            return Ok(Some(()));
        }
        second.click_if_there("failed-again").await?;
        Ok(None)
    })
    .await?;
    second
        .desk_sign_in(city.account("clerk", Some(&city.branch()?))?)
        .await?;
    // The tasks behind the window run as after an ordinary start.
    second
        .attribute_is("status-link", "data-link", "up")
        .await?;
    second.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_explained_and_damaged_data_are_put_right() -> Done {
    let city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    let display = Display::start()?;
    let database = desk.data.join("suda.db");
    let read = |path: &PathBuf| std::fs::read(path).map_err(Failure::io("the database"));
    let sound = read(&database)?;

    let other = DeskDir {
        key: city.dir.path().join("other.key"),
        ..desk.clone()
    };
    std::fs::write(&other.key, "ab".repeat(32)).map_err(Failure::io("a key"))?;
    let window = Screen::window(&display, &other).await?;
    refused_with(&window, "wrong_key").await?;
    window.close().await?;
    assert!(read(&database)? == sound);

    let mut damaged = sound.clone();
    damaged[..4096].fill(7);
    std::fs::write(&database, &damaged).map_err(Failure::io("the database"))?;
    let window = Screen::window(&display, &desk).await?;
    window.part("sign-in").await?;
    window.close().await?;
    let kept = walk(&desk.data.join("quarantine"))?;
    assert!(
        kept.iter()
            .any(|file| read(file).is_ok_and(|bytes| bytes == damaged)),
        "the damaged file is set aside: {kept:?}"
    );

    // The control: with nothing to put it right from, it is explained and left alone.
    for beside in [
        "enrolment.sealed",
        "backups",
        "journal",
        "suda.db-wal",
        "suda.db-shm",
    ] {
        let beside = desk.data.join(beside);
        if beside.is_dir() {
            std::fs::remove_dir_all(&beside).map_err(Failure::io("what is kept beside"))?;
        } else if beside.exists() {
            std::fs::remove_file(&beside).map_err(Failure::io("what is kept beside"))?;
        }
    }
    std::fs::write(&database, &damaged).map_err(Failure::io("the database"))?;
    let window = Screen::window(&display, &desk).await?;
    refused_with(&window, "damaged").await?;
    window.close().await?;
    assert!(read(&database)? == damaged);
    Ok(())
}

fn walk(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(Failure::io("the folder"))? {
        let path = entry.map_err(Failure::io("the folder"))?.path();
        if path.is_dir() {
            files.extend(walk(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_click_on_save_records_once() -> Done {
    let city = City::start()?;
    let branch = city.branch()?;
    let desk = city.desk(&branch, "desk")?;
    let display = Display::start()?;
    let window = Screen::window(&display, &desk).await?;
    window
        .desk_sign_in(city.account("clerk", Some(&branch))?)
        .await?;
    window
        .fill(
            "intake-description",
            "昨天来补卡，营业员态度不好，问两句就不耐烦。",
        )
        .await?;
    window.fill("intake-remedy", "当事人道歉").await?;
    window.fill("intake-phone", "13800138002").await?;
    window.click("intake-accept-category").await?;
    let save = "document.querySelector('[data-testid=\"intake-record\"]').click()";
    window
        .client
        .execute(&format!("{save}; {save}; {save}"), vec![])
        .await?;
    window.part("receipt").await?;
    window.close().await?;
    assert_eq!(desk.status()?["complaints"], 1);
    Ok(())
}
