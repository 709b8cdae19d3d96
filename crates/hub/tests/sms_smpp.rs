//! Texts to customers through an SMS centre that is not ours: the npm package
//! `smpp`, as `tests/smpp/server.mjs` runs it on loopback.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};
use suda_domain::Grade;
use suda_domain::texts::{Mobile, segments};
use suda_hub::sms::settings::{SmppSettings, SmsBy, SmsSettings};
use suda_hub::sms::smpp::SmppAdapter;
use suda_hub::sms::{Adapter as _, Heard, Outgoing, SendError};
use suda_hub::store::Reader;
use suda_hub::store::sms::{Sms, SmsState};
use support::{TestHub, eventually};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use uuid::Uuid;

const PASSWORD: &str = "geheim";

/// The centre in a process of its own, which ends with its standard input.
struct Centre {
    port: u16,
    got: Arc<Mutex<Vec<Value>>>,
    orders: ChildStdin,
    process: Child,
}

impl Centre {
    async fn start() -> Self {
        let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/smpp/server.mjs");
        let mut process = Command::new("node")
            .arg(server)
            .arg(PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let orders = process.stdin.take().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let got = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&got);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock()
                    .unwrap()
                    .push(serde_json::from_str(&line).unwrap());
            }
        });
        let mut centre = Self {
            port: 0,
            got,
            orders,
            process,
        };
        let listening = centre.wait("listening", 1).await;
        centre.port = u16::try_from(listening[0]["port"].as_u64().unwrap()).unwrap();
        centre
    }

    async fn order(&mut self, order: Value) {
        let line = format!("{order}\n");
        self.orders.write_all(line.as_bytes()).await.unwrap();
        self.orders.flush().await.unwrap();
    }

    fn got(&self, what: &str) -> Vec<Value> {
        let all = self.got.lock().unwrap();
        all.iter()
            .filter(|line| line["got"] == what)
            .cloned()
            .collect()
    }

    /// Messages that were taken.
    fn taken(&self) -> Vec<Value> {
        let all = self.got("submit").into_iter();
        all.filter(|line| line["status"] == 0).collect()
    }

    async fn wait(&self, what: &str, count: usize) -> Vec<Value> {
        eventually(what, async || self.got(what).len() >= count).await;
        self.got(what)
    }

    async fn stop(mut self) {
        self.process.kill().await.unwrap();
    }

    fn settings(&self, dir: &Path) -> SmppSettings {
        SmppSettings {
            host: "127.0.0.1".into(),
            port: self.port,
            system_id: "suda".into(),
            password_file: password(dir, PASSWORD),
            source: "106550001".into(),
        }
    }
}

fn password(dir: &Path, password: &str) -> PathBuf {
    let file = dir.join("smpp.password");
    std::fs::write(&file, format!("{password}\n")).unwrap();
    file
}

fn mobile() -> Mobile {
    Mobile::read("13800138000").unwrap()
}

async fn send(adapter: &mut SmppAdapter, text: &str) -> Result<Option<String>, SendError> {
    let outgoing = Outgoing {
        id: Uuid::nil(),
        to: &mobile(),
        text,
    };
    let sent = adapter.send(&outgoing).await?;
    assert!(!sent.delivered, "only a receipt says so");
    Ok(sent.smsc_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_arrives_whole_in_numbered_parts() {
    let dir = tempfile::tempdir().unwrap();
    let centre = Centre::start().await;
    let mut adapter = SmppAdapter::open(&centre.settings(dir.path()))
        .await
        .unwrap();
    let bound = centre.wait("bind", 1).await;
    assert_eq!(bound[0]["system_id"], "suda");
    assert_eq!(bound[0]["version"], 0x34);
    let chinese: String = "您的投诉已受理，编号甲乙丙丁。"
        .chars()
        .cycle()
        .take(200)
        .collect();
    let latin: String = "Your complaint [1] is ~done. "
        .chars()
        .cycle()
        .take(290)
        .collect();
    for (text, coding, header) in [
        ("已受理".to_owned(), 8, false),
        ("字".repeat(70), 8, false),
        ("字".repeat(71), 8, true),
        (chinese, 8, true),
        ("a".repeat(160), 0, false),
        (latin, 0, true),
    ] {
        let before = centre.got("submit").len();
        let count = segments(&text).count as usize;
        let id = send(&mut adapter, &text).await.unwrap();
        let parts = centre
            .wait("submit", before + count)
            .await
            .split_off(before);
        assert_eq!(parts.len(), count, "{text}");
        let whole: String = parts
            .iter()
            .map(|part| part["text"].as_str().unwrap())
            .collect();
        assert_eq!(whole, text);
        for (part, number) in parts.iter().zip(1..) {
            assert_eq!(part["to"], "8613800138000");
            assert_eq!(part["from"], "106550001");
            assert_eq!(part["coding"], coding);
            assert_eq!(part["esm"], if header { 0x40 } else { 0 });
            assert_eq!(part["registered"], u8::from(number == count), "{number}");
            if header {
                let header = part["udh"][0].as_str().unwrap();
                let (kind, reference) = header.split_at(4);
                assert_eq!(kind, "0003");
                let first = parts[0]["udh"][0].as_str().unwrap();
                assert_eq!(reference[..2], first[4..6], "one reference");
                assert_eq!(reference[2..], format!("{count:02x}{number:02x}"));
            }
        }
        let last = parts.last().unwrap()["id"].as_str().unwrap();
        let id = u64::from_str_radix(&id.unwrap(), 16).unwrap();
        assert_eq!(last, id.to_string(), "named by the last part");
    }
    let unsendable = send(&mut adapter, "𠮷").await;
    assert_eq!(unsendable, Err(SendError::Refused("not_encodable".into())));
    centre.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_centre_says_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let mut centre = Centre::start().await;
    let settings = centre.settings(dir.path());
    let mut adapter = SmppAdapter::open(&settings).await.unwrap();
    let mut refused = async |order: Value| {
        centre.order(order).await;
        // Orders are read in their turn, and so is this answer to one.
        let before = centre.got("delivered").len();
        let text = json!({"do": "text", "from": "8613800138009", "text": "x"});
        centre.order(text).await;
        let Heard::Text { token, .. } = adapter.heard().await else {
            panic!("no text");
        };
        adapter.answer(token, true).await;
        centre.wait("delivered", before + 1).await;
        send(&mut adapter, "已受理").await.unwrap_err()
    };
    let refuse = |status| json!({"do": "refuse", "times": 1, "status": status});
    assert_eq!(
        refused(json!({"do": "throttle", "times": 1})).await,
        SendError::Way("smpp_throttled".into())
    );
    assert_eq!(
        refused(refuse(11)).await,
        SendError::Refused("smpp_0000000b".into())
    );
    assert_eq!(
        refused(refuse(8)).await,
        SendError::Later("smpp_00000008".into())
    );
    assert_eq!(
        refused(json!({"do": "hang_up", "times": 1})).await,
        SendError::Unconfirmed("smpp_closed".into())
    );
    // The session notices its end in its own time.
    let began = Instant::now();
    while send(&mut adapter, "已受理").await != Err(SendError::Way("smpp_closed".into())) {
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    let open = async |settings: &SmppSettings| SmppAdapter::open(settings).await.err().unwrap();
    let wrong = SmppSettings {
        password_file: password(dir.path(), "falsch"),
        ..settings.clone()
    };
    assert_eq!(
        open(&wrong).await,
        SendError::Way("bind_smpp_0000000e".into())
    );
    let missing = SmppSettings {
        password_file: dir.path().join("missing"),
        ..settings.clone()
    };
    assert_eq!(
        open(&missing).await,
        SendError::Way("password_file_unreadable".into())
    );
    password(dir.path(), PASSWORD);
    centre.stop().await;
    assert_eq!(
        open(&settings).await,
        SendError::Way("smpp_unreachable".into())
    );
}

/// A hub that sends through the centre.
async fn hub(centre: &Centre) -> TestHub {
    let hub = TestHub::start().await;
    let settings = SmsSettings {
        by: SmsBy::Smpp(centre.settings(&hub.dir)),
        ..SmsSettings::default()
    };
    hub.hub.store.put_sms_settings(&settings).await.unwrap();
    centre.wait("bind", 1).await;
    hub
}

async fn texts(hub: &TestHub) -> Vec<Sms> {
    hub.hub
        .store
        .sms_page(false, None, 100, Reader::Program)
        .await
        .unwrap()
}

/// Lets time pass until it holds: texts are tried again by the hub's clock.
async fn in_time<F: Future<Output = bool>>(
    what: &str,
    hub: &TestHub,
    mut holds: impl FnMut() -> F,
) {
    eventually(what, || {
        hub.clock.advance(TimeDelta::seconds(1));
        holds()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_delivered_when_its_receipt_says_so() {
    let mut centre = Centre::start().await;
    let hub = hub(&centre).await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    let sent = centre.wait("submit", 1).await;
    let words = sent[0]["text"].as_str().unwrap();
    assert!(words.contains("已受理") && !words.contains("张"), "{words}");
    eventually("sent", async || {
        texts(&hub).await[0].state == SmsState::Sent
    })
    .await;
    // Answered as 1a, reported as 26.
    assert_eq!(sent[0]["id"], "26");
    centre
        .order(json!({"do": "receipt", "id": "0000000026", "stat": "DELIVRD"}))
        .await;
    eventually("delivered", async || {
        texts(&hub).await[0].state == SmsState::Delivered
    })
    .await;
    let answered = centre.wait("delivered", 1).await;
    assert_eq!(answered[0]["status"], 0);

    // The newest is listed first.
    hub.clock.advance(TimeDelta::seconds(1));
    desk.hand_off(hub.clock.now(), "慢", Grade::Two).await;
    let second = centre.wait("submit", 2).await;
    eventually("sent", async || {
        texts(&hub).await[0].state == SmsState::Sent
    })
    .await;
    centre
        .order(json!({"do": "receipt", "id": second[1]["id"], "stat": "UNDELIV"}))
        .await;
    eventually("failed", async || {
        texts(&hub).await[0].error.as_deref() == Some("undelivered")
    })
    .await;
    let trouble = hub.hub.store.sms_failing().await.unwrap();
    assert_eq!((trouble.texts.count, trouble.way.count), (1, 0));
    hub.stop().await;
    centre.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_text_waits_and_is_taken_once() {
    let mut centre = Centre::start().await;
    centre.order(json!({"do": "throttle", "times": 2})).await;
    let hub = hub(&centre).await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    in_time("taken", &hub, async || {
        texts(&hub)
            .await
            .first()
            .is_some_and(|text| text.state == SmsState::Sent)
    })
    .await;
    assert_eq!(centre.got("submit").len(), 3, "refused twice");
    assert_eq!(centre.taken().len(), 1);
    assert_eq!(centre.got("bind").len(), 1, "the session stays");
    assert_eq!(texts(&hub).await[0].error, None);
    hub.stop().await;
    centre.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_in_the_middle_is_opened_again_and_the_text_repeated_once() {
    let mut centre = Centre::start().await;
    centre.order(json!({"do": "hang_up", "times": 1})).await;
    let hub = hub(&centre).await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    in_time("taken", &hub, async || {
        texts(&hub)
            .await
            .first()
            .is_some_and(|text| text.state == SmsState::Sent)
    })
    .await;
    assert_eq!(centre.got("submit").len(), 2);
    assert_eq!(centre.taken().len(), 1);
    assert!(centre.got("bind").len() >= 2);
    // The same while nothing is being sent.
    let bound = centre.got("bind").len();
    centre.order(json!({"do": "close"})).await;
    centre.wait("bind", bound + 1).await;
    desk.hand_off(hub.clock.now(), "慢", Grade::Two).await;
    eventually("taken", async || centre.taken().len() == 2).await;
    hub.stop().await;
    centre.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_never_confirmed_is_left_to_a_person() {
    let mut centre = Centre::start().await;
    centre.order(json!({"do": "hang_up", "times": 100})).await;
    let hub = hub(&centre).await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    in_time("failed", &hub, async || {
        texts(&hub)
            .await
            .first()
            .is_some_and(|text| text.state == SmsState::Failed)
    })
    .await;
    let submitted = centre.got("submit").len();
    assert!((1..=3).contains(&submitted), "{submitted}");
    let error = texts(&hub).await[0].error.clone();
    assert_eq!(error.as_deref(), Some("smpp_closed"));
    hub.stop().await;
    centre.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_centre_gets_each_text_once() {
    let mut centre = Centre::start().await;
    centre.order(json!({"do": "slow", "ms": 1500})).await;
    let hub = hub(&centre).await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    for text in ["断网", "慢"] {
        desk.hand_off(hub.clock.now(), text, Grade::Two).await;
    }
    eventually("both are sent", async || {
        let texts = texts(&hub).await;
        texts
            .iter()
            .filter(|text| text.state == SmsState::Sent)
            .count()
            == 2
    })
    .await;
    assert_eq!(centre.got("submit").len(), 2);
    hub.stop().await;
    centre.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_centre_a_text_waits_and_fails_at_the_desk() {
    let centre = Centre::start().await;
    let hub = hub(&centre).await;
    centre.stop().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    let expert = hub.sign_in("expert").await;
    in_time("fails", &hub, async || {
        hub.hub.store.sms_failing().await.unwrap().way.count == 1
    })
    .await;
    let [text] = texts(&hub).await.try_into().unwrap();
    assert!(text.error.unwrap().starts_with("smpp_"));
    hub.clock.advance(TimeDelta::minutes(31));
    let outbox = expert.get("/api/sms?failing=true").await;
    assert_eq!(outbox["way"]["alarm"], true);
    assert_eq!(outbox["failing"]["alarm"], false, "no number has failed");
    assert_eq!(outbox["rows"][0]["to"], "138****8000");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_question_is_answered_over_the_same_session() {
    let mut centre = Centre::start().await;
    let hub = hub(&centre).await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    centre.wait("submit", 1).await;
    let held = hub
        .hub
        .store
        .complaint(id, Reader::Program)
        .await
        .unwrap()
        .unwrap();
    let reference = held.complaint.reference.to_string();
    for (from, text, expected) in [
        ("8613800138000", reference.to_lowercase(), true),
        ("13800138000", reference.replace('-', ""), true),
        ("8613900139000", reference.clone(), false),
    ] {
        let before = centre.got("submit").len();
        let order = json!({"do": "text", "from": from, "text": text});
        centre.order(order).await;
        let answer = centre.wait("submit", before + 1).await.pop().unwrap();
        let words = answer["text"].as_str().unwrap().to_owned();
        assert_eq!(words.contains(&reference), expected, "{words}");
        assert_eq!(words.contains("已受理"), expected, "{words}");
        let to = Mobile::read(from).unwrap();
        assert_eq!(answer["to"], to.digits());
    }
    eventually("answered", async || centre.got("delivered").len() == 3).await;
    hub.stop().await;
    centre.stop().await;
}
