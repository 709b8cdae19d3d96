//! What desks of earlier versions said is said again, byte for byte but for the
//! names of this hub's desk and staff, to a real hub; its answers hold all that
//! those desks read in theirs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;
use suda_sync::message::{OLDEST, Request, VERSION, is_read};
use suda_sync::{Ask, Hash, Signed};
use support::{FakeDesk, TestHub};

/// In the order in which a desk says it.
const QUESTIONS: [&str; 7] = [
    "hello-0",
    "batch-0",
    "batch-1",
    "pull-0",
    "watch-0",
    "evidence-0",
    "statistics-0",
];

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sync/tests/recorded");
    let folders = std::fs::read_dir(root).unwrap();
    let mut folders: Vec<_> = folders.map(|folder| folder.unwrap().path()).collect();
    folders.sort();
    folders
}

fn read(folder: &Path, name: &str) -> Option<Signed> {
    let text = std::fs::read_to_string(folder.join(name)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// The question as this hub's desk would have asked it then: other names, and
/// so other hashes; everything else as it was recorded.
fn ours(question: &Signed, desk: &FakeDesk) -> Box<RawValue> {
    let asked: Request = question.peek().unwrap();
    let mut text = question.body.get().to_owned();
    let device = desk.enrolled.device.to_string();
    text = text.replace(&asked.device.to_string(), &device);
    text = text.replace(r#""incarnation":2"#, r#""incarnation":1"#);
    let session = desk.session.lock().unwrap().clone();
    if let (Some(then), Some(now)) = (&asked.session, &session) {
        text = text.replace(then, now);
    }
    if let Ask::Batch { events, .. } = &asked.ask {
        for event in events {
            let staff = event.open().unwrap().actor.staff.unwrap();
            let here = desk.pen.actor.staff.unwrap();
            text = text.replace(&staff.to_string(), &here.to_string());
        }
        let renamed: Request = serde_json::from_str(&text).unwrap();
        let Ask::Batch { events: bodies, .. } = renamed.ask else {
            panic!("still a batch")
        };
        let mut prev = Hash::START;
        for (event, renamed) in events.iter().zip(&bodies) {
            let hash = Hash::link(prev, renamed.body.get().as_bytes());
            text = text.replace(&event.hash.to_string(), &hash.to_string());
            prev = hash;
        }
    }
    RawValue::from_string(text).unwrap()
}

/// Everything an older desk looks for is there and of the same kind. What
/// stands in a text or a number is the time's and the place's, and an event is
/// judged by the recorded messages' own test.
fn reads_like(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Null, _) => true,
        (Value::Object(old), Value::Object(new)) => old.iter().all(|(name, value)| {
            name == "event"
                || value.is_null()
                || new.get(name).is_some_and(|new| reads_like(value, new))
        }),
        (Value::Array(old), Value::Array(new)) => match (old.first(), new.first()) {
            (Some(old), Some(new)) => reads_like(old, new),
            (Some(_), None) => false,
            (None, _) => true,
        },
        (old, new) => std::mem::discriminant(old) == std::mem::discriminant(new),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_answers_every_recorded_question_in_a_form_its_desk_reads() {
    let mut versions = BTreeSet::new();
    for folder in folders() {
        let hub = TestHub::start().await;
        let desk = hub.enrol("CQ0101", "branch_manager").await;
        desk.hello().await;
        for name in QUESTIONS {
            let Some(question) = read(&folder, &format!("question-{name}.json")) else {
                continue;
            };
            let what = format!("{} {name}", folder.display());
            versions.insert(question.peek::<Request>().unwrap().v);
            let asked = Signed::seal(&ours(&question, &desk), &desk.key).unwrap();
            let answer = hub.client.post(hub.url("/v1/sync")).json(&asked);
            let answer: Signed = answer.send().await.unwrap().json().await.unwrap();
            let new: Value = answer.open(&desk.enrolled.hub_key).unwrap();
            assert!(new.get("refused").is_none(), "{what}: {new}");
            if let Some(session) = new.pointer("/welcome/session") {
                *desk.session.lock().unwrap() = session.as_str().map(str::to_owned);
            }
            for verdict in new
                .pointer("/receipt/verdicts")
                .into_iter()
                .flat_map(|v| v.as_array().unwrap())
            {
                assert_eq!(verdict["verdict"], "applied", "{what}: {new}");
            }
            let kind = name.split('-').next().unwrap();
            let kind = match kind {
                "hello" => "welcome",
                "batch" => "receipt",
                "pull" => "page",
                "watch" => "changed",
                same => same,
            };
            let old = read(&folder, &format!("answer-{kind}-0.json")).unwrap();
            let old: Value = old.peek().unwrap();
            assert!(reads_like(&old, &new), "{what}\n{old}\n{new}");
        }
        hub.stop().await;
    }
    // Of every version that is still read there is a recording.
    let read: BTreeSet<u16> = (0..=VERSION + 1).filter(|v| is_read(*v)).collect();
    assert_eq!(versions, read);
    assert_eq!(read, (OLDEST..=VERSION).collect());
}
