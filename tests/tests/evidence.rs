//! Evidence through the real programs: whole and once at the hub however
//! often the line is cut or a program killed, and never in a handoff's way.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use suda_desk::view::Assessment;
use suda_desk::{Desk, EvidenceSource, KeySource, Session};
use suda_domain::{Complexity, Grade, Intake};
use suda_tests::rig::native;
use suda_tests::{City, DeskDir, Failure, Line, Running, bin, eventually, output, output_raw};

type Done = Result<(), Failure>;

const MEGABYTE: usize = 1024 * 1024;
/// 256 kbit/s.
const SLOW: u64 = 32 * 1024;

/// A picture by its first bytes, which no compressor makes smaller.
fn picture(dir: &Path, bytes: usize) -> PathBuf {
    let mut picture = b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec();
    let mut dice = 88_172_645_463_325_252_u64;
    while picture.len() < bytes {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        picture.extend(dice.to_le_bytes());
    }
    picture.truncate(bytes);
    let path = dir.join(format!("picture-{bytes}.jpg"));
    std::fs::write(&path, picture).unwrap();
    path
}

fn evidence(desk: &DeskDir, sub: &str) -> Command {
    let mut command = Command::new(bin("suda-desk"));
    command.args(["evidence", sub, "--data"]).arg(&desk.data);
    command.arg("--key-file").arg(&desk.key);
    command
}

/// Records one complaint and gives its number.
fn record(city: &City, desk: &DeskDir) -> Result<String, Failure> {
    let rows = city.dir.path().join("one.csv");
    std::fs::write(&rows, "text,remedy\n营业员态度不好,道歉\n").unwrap();
    let printed = output(desk.command("import").arg(rows))?;
    Ok(printed.trim().to_owned())
}

fn listed(desk: &DeskDir, reference: &str) -> Result<Value, Failure> {
    let text = output(evidence(desk, "list").args([reference, "--json"]))?;
    Ok(serde_json::from_str(text.lines().next().unwrap_or("null"))?)
}

/// An expert at the console.
struct Expert {
    client: reqwest::Client,
    cookie: String,
    url: String,
}

impl Expert {
    async fn sign_in(city: &City) -> Result<Self, Failure> {
        let account = city.account("expert", None)?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let body = json!({ "login": account.login, "password": account.password });
        let url = city.url();
        let answer = client
            .post(format!("{url}/api/login"))
            .json(&body)
            .send()
            .await?;
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Ok(Self {
            client,
            cookie,
            url,
        })
    }

    async fn get(&self, path: &str) -> Result<reqwest::Response, Failure> {
        let request = self.client.get(format!("{}{path}", self.url));
        Ok(request.header("cookie", &self.cookie).send().await?)
    }

    /// The contents of the only file of a complaint, as the hub gives them.
    async fn only_file(&self, reference: &str) -> Result<Vec<u8>, Failure> {
        let list = format!("/api/complaints/{reference}/evidence");
        let files: Value = self.get(&list).await?.json().await?;
        let [file] = files.as_array().unwrap().as_slice() else {
            return Err(Failure::Said(format!("not one file: {files}")));
        };
        let id = file["file"]["id"].as_str().unwrap();
        Ok(self
            .get(&format!("{list}/{id}"))
            .await?
            .bytes()
            .await?
            .to_vec())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_arrives_whole_and_once_over_a_line_that_is_cut_again_and_again() -> Done {
    let city = City::start()?;
    let line = Line::start(&city.url(), 0, 12, 5).await?;
    let desk = city.desk(&city.branch()?, "desk")?;
    let reference = record(&city, &desk)?;
    desk.sync()?;
    // The address is the line's from here on: enrolled anew by it.
    let far = city.desk_by(&line.url, &city.branch()?, "far");
    let far = match far {
        Ok(far) => far,
        // The very connection that enrols may be one that is cut.
        Err(_) => city.desk_by(&line.url, &city.branch()?, "far-again")?,
    };
    let file = picture(city.dir.path(), 20 * MEGABYTE);
    let wanted = std::fs::read(&file).unwrap();
    eventually(
        "the case is on the far desk",
        Duration::from_secs(30),
        async || {
            output_raw(far.command("sync").arg("--once"))?;
            Ok(far.status()?["complaints"].as_u64().filter(|n| *n > 0))
        },
    )
    .await?;
    output(evidence(&far, "add").arg(&reference).arg(&file))?;
    eventually(
        "all of it is at the hub",
        Duration::from_secs(120),
        async || {
            output_raw(far.command("sync").arg("--once"))?;
            Ok((listed(&far, &reference)?["delivery"] == "at_hub").then_some(()))
        },
    )
    .await?;
    assert!(line.cut() >= 6, "{} cuts", line.cut());
    let expert = Expert::sign_in(&city).await?;
    assert!(expert.only_file(&reference).await? == wanted);
    println!(
        "{}",
        json!({"bytes": wanted.len(), "cuts": line.cut(), "whole": true})
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_arrives_whole_and_once_though_desk_and_hub_are_killed_meanwhile() -> Done {
    let mut city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    let reference = record(&city, &desk)?;
    desk.sync()?;
    let file = picture(city.dir.path(), 20 * MEGABYTE);
    // Killed while it is added: nothing of it, or all of it.
    let adding = Running::start(evidence(&desk, "add").arg(&reference).arg(&file))?;
    let vault = desk.data.join("evidence");
    eventually(
        "the file is being written",
        Duration::from_secs(10),
        async || {
            let begun = std::fs::read_dir(&vault).is_ok_and(|mut all| all.next().is_some());
            Ok(begun.then_some(()))
        },
    )
    .await?;
    adding.kill();
    output(evidence(&desk, "add").arg(&reference).arg(&file))?;
    let mut kills = 0;
    for n in 0..6u64 {
        let before = listed(&desk, &reference)?["received"]
            .as_u64()
            .unwrap_or_default();
        let syncing = Running::start(desk.command("sync").stderr(std::process::Stdio::null()))?;
        // Far enough that something is under way, never to the end.
        let more = before + 1 + n * 300_000;
        eventually("the file goes on", Duration::from_secs(30), async || {
            let received = listed(&desk, &reference)?["received"].as_u64();
            Ok(received.filter(|received| *received > more.min(19_000_000)))
        })
        .await?;
        if n % 2 == 0 {
            syncing.kill();
        } else {
            city.kill_hub();
            syncing.kill();
            city.start_hub()?;
        }
        kills += 1;
    }
    desk.sync()?;
    assert_eq!(listed(&desk, &reference)?["delivery"], "at_hub");
    let expert = Expert::sign_in(&city).await?;
    assert!(expert.only_file(&reference).await? == std::fs::read(&file).unwrap());
    output(&mut desk.command("verify"))?;
    println!(
        "{}",
        json!({"bytes": 20 * MEGABYTE, "kills": kills, "whole": true})
    );
    Ok(())
}

#[test]
fn on_a_full_disk_a_file_is_added_whole_or_not_at_all() -> Done {
    let city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    let reference = record(&city, &desk)?;
    let file = picture(city.dir.path(), 3 * MEGABYTE);
    let fault = native::fault(city.dir.path())?;
    let (mut failed, mut added) = (0, 0);
    for at in 1..=24 {
        let over = city.dir.path().join("over");
        let hit = city.dir.path().join(format!("hit-{at}"));
        let mut command = evidence(&desk, "add");
        command.arg(&reference).arg(&file);
        let real = std::fs::canonicalize(&desk.data).map_err(Failure::io("the data"))?;
        command
            .env("LD_PRELOAD", &fault)
            .env("FAULT_DIR", real)
            .env("FAULT_KIND", "write")
            .env("FAULT_AT", at.to_string())
            .env("FAULT_OVER", &over)
            .env("FAULT_HIT", &hit);
        let done = output_raw(&mut command)?;
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!error.contains("panicked"), "{error}");
        if done.status.success() {
            added += 1;
            break;
        }
        assert!(error.contains("disk"), "write {at}: {error}");
        failed += 1;
        // Nothing of it, or all of it: the journal may have kept the event.
        let is_whole = listed(&desk, &reference)?["here"] == true;
        let left = std::fs::read_dir(desk.data.join("evidence"));
        let left = left.map(|all| all.count()).unwrap_or_default();
        assert!(left <= 1, "write {at} left {left} files behind: {error}");
        let case = output(desk.command("show").args([&reference, "--json"]))?;
        let is_named = case.contains("\"evidence_added\"");
        assert_eq!(is_named, is_whole, "write {at}: {error}");
        if is_whole {
            break;
        }
    }
    assert!(
        failed >= 10,
        "the control: {failed} writes failed, {added} went through"
    );
    output(evidence(&desk, "add").arg(&reference).arg(&file))?;
    assert_eq!(listed(&desk, &reference)?["delivery"], "saved_here");
    output(&mut desk.command("verify"))?;
    Ok(())
}

async fn open(city: &City, desk: &DeskDir) -> Result<(Desk, Session), Failure> {
    let said = |error: String| Failure::Said(error);
    let opened = Desk::open(&desk.data, KeySource::File(desk.key.clone())).await;
    let opened = opened.map_err(|error| said(error.to_string()))?;
    let clerk = city.account("clerk", Some(&city.branch()?))?;
    let session = opened.sign_in(&clerk.login, &clerk.password).await;
    Ok((opened, session.map_err(|error| said(error.to_string()))?))
}

async fn hand_off(desk: &Desk, session: &Session) -> Result<String, Failure> {
    let intake = Intake {
        description: "多扣话费，要求今天解决".into(),
        remedy_sought: "退还".into(),
        name: "测试".into(),
        phone: "13800000000".into(),
        category: "A.01.01".into(),
        ..Intake::default()
    };
    let assessment = Assessment {
        grade: Grade::Two,
        complexity: Complexity::Complex,
        override_reason: Some("现场判断".into()),
        about: None,
    };
    let said = |error: &dyn std::fmt::Display| Failure::Said(error.to_string());
    let draft = desk
        .draft_open(session)
        .await
        .map_err(|error| said(&error))?;
    let receipt = desk
        .record(session, draft.id, intake, assessment, None)
        .await;
    Ok(receipt.map_err(|error| said(&error))?.reference.to_string())
}

/// How long it takes until the console knows a complaint.
async fn until_at_hub(expert: &Expert, reference: &str) -> Result<Duration, Failure> {
    let began = Instant::now();
    let path = format!("/api/complaints/{reference}");
    eventually(
        "the handoff is at the hub",
        Duration::from_secs(60),
        async || {
            let answer = expert.get(&path).await?;
            Ok(answer.status().is_success().then_some(()))
        },
    )
    .await?;
    Ok(began.elapsed())
}

/// Ten handoffs while a file is sent over 256 kbit/s; and as the control one
/// behind a whole chunk that nobody cuts into slices.
#[tokio::test(flavor = "multi_thread")]
async fn on_256_kbit_s_a_handoff_is_at_the_hub_within_two_seconds_while_a_file_is_sent() -> Done {
    let city = City::start()?;
    let line = Line::start(&city.url(), SLOW, 0, 1).await?;
    let far = city.desk_by(&line.url, &city.branch()?, "far")?;
    let (desk, session) = open(&city, &far).await?;
    let expert = Expert::sign_in(&city).await?;
    let syncing = {
        let desk = desk.clone();
        tokio::spawn(async move { desk.sync_forever(std::future::pending()).await })
    };
    let first = hand_off(&desk, &session).await?;
    until_at_hub(&expert, &first).await?;
    let cases = desk.search(&session, &first, 1).await;
    let id = cases.map_err(|error| Failure::Said(error.to_string()))?[0].id;
    let source = EvidenceSource::File(picture(city.dir.path(), 8 * MEGABYTE));
    let added = desk.add_evidence(&session, id, source, None).await;
    added.map_err(|error| Failure::Said(error.to_string()))?;
    let received = async || {
        let list = format!("/api/complaints/{first}/evidence");
        let files: Value = expert.get(&list).await?.json().await?;
        Ok::<_, Failure>(files[0]["received"].as_u64().unwrap_or_default())
    };
    let mut worst = Duration::ZERO;
    for n in 0..10u32 {
        // In the middle of a slice, each time at another place.
        let before = received().await?;
        eventually("the file goes on", Duration::from_secs(20), async || {
            Ok((received().await? > before + u64::from(n) * 1500).then_some(()))
        })
        .await?;
        let reference = hand_off(&desk, &session).await?;
        worst = worst.max(until_at_hub(&expert, &reference).await?);
    }
    let so_far = received().await?;
    assert!(
        so_far < 8 * MEGABYTE as u64,
        "the file was under way all the time"
    );
    assert!(worst <= Duration::from_secs(2), "{worst:?}");

    let chunk = reqwest::Client::builder().no_proxy().build()?;
    let sent = chunk
        .put(format!("{}/v1/evidence/{}/0", line.url, uuid::Uuid::nil()))
        .body(vec![0u8; 256 * 1024])
        .send();
    let sending = tokio::spawn(sent);
    eventually(
        "the chunk is on the line",
        Duration::from_secs(10),
        async || Ok((line.waiting() > 200 * 1024).then_some(())),
    )
    .await?;
    let reference = hand_off(&desk, &session).await?;
    let control = until_at_hub(&expert, &reference).await?;
    assert!(control > Duration::from_secs(2), "the control: {control:?}");
    sending.abort();
    syncing.abort();
    println!(
        "{}",
        json!({
            "handoffs": 10, "worst_ms": worst.as_millis(), "control_ms": control.as_millis(),
            "evidence_bytes": so_far,
        })
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_put_back_from_a_backup_gets_the_files_again() -> Done {
    let mut city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    let reference = record(&city, &desk)?;
    desk.sync()?;
    let backup = city.dir.path().join("hub.backup");
    let hub = |sub: &str, city: &City| {
        let mut command = Command::new(bin("suda-hub"));
        command.args([sub, "--data"]).arg(city.hub_data());
        command
    };
    output(hub("backup", &city).arg(&backup))?;
    let file = picture(city.dir.path(), MEGABYTE);
    output(evidence(&desk, "add").arg(&reference).arg(&file))?;
    desk.sync()?;
    assert_eq!(listed(&desk, &reference)?["delivery"], "at_hub");
    city.stop_hub()?;
    output(hub("restore", &city).arg(&backup))?;
    city.start_hub()?;
    let expert = Expert::sign_in(&city).await?;
    assert!(
        expert.only_file(&reference).await.is_err(),
        "the control: it is forgotten"
    );
    // The first contact tells of the hub's new epoch, the next is in it.
    desk.sync()?;
    desk.sync()?;
    assert_eq!(listed(&desk, &reference)?["delivery"], "at_hub");
    assert!(expert.only_file(&reference).await? == std::fs::read(&file).unwrap());
    Ok(())
}
