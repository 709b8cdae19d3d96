//! Messages of earlier versions keep being read. Each folder of `recorded` holds
//! what a desk and a hub of that time said to each other (`2-first`: version 2
//! before any field was added to it; the signatures are those of the later ones),
//! each of `recorded-branch` what a desk and its branch's mailbox did, each of
//! `recorded-bundle` the sealed files of that version.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use suda_sync::bundle::{self, Word};
use suda_sync::message::{Ask, Reply, Request, VERSION};
use suda_sync::{SealedEvent, SecretKey, Signed, lan};

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn recorded(under: &str) -> Vec<(PathBuf, String)> {
    let folders = std::fs::read_dir(tests().join(under)).unwrap();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    files
        .map(|file| {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// Everything in `old` is in `new` as it was; `new` may have more.
fn keeps(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => old.iter().all(|(name, value)| {
            value.is_null() || new.get(name).is_some_and(|new| keeps(value, new))
        }),
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| keeps(old, new))
        }
        _ => old == new,
    }
}

#[test]
fn every_recorded_message_is_read_and_nothing_of_it_is_lost() {
    let files = recorded("recorded");
    let folders: std::collections::BTreeSet<_> = files
        .iter()
        .map(|(path, _)| path.parent().unwrap())
        .collect();
    assert_eq!(folders.len(), 3);
    for (path, text) in &files {
        let signed: Signed = serde_json::from_str(text).unwrap();
        let old: Value = serde_json::from_str(signed.body.get()).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let new = if name.starts_with("question") {
            let request: Request = signed.peek().unwrap();
            assert!(request.v <= VERSION, "{name}");
            if let Ask::Batch { events, .. } = &request.ask {
                opened(events.iter(), name);
            }
            serde_json::to_value(request).unwrap()
        } else {
            let reply: Reply = signed.peek().unwrap();
            if let Reply::Page(page) = &reply {
                opened(page.entries.iter().map(|entry| &entry.event), name);
            }
            serde_json::to_value(reply).unwrap()
        };
        assert!(keeps(&old, &new), "{}: {old}\n{new}", path.display());
    }
}

#[test]
fn every_recorded_message_of_a_branchs_network_is_read_and_nothing_of_it_is_lost() {
    let files = recorded("recorded-branch");
    assert_eq!(files.len(), 16);
    for (path, text) in &files {
        let old: Value = serde_json::from_str(text).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let new = if name.starts_with("question") {
            let ask: lan::Ask = serde_json::from_str(text).unwrap();
            if let lan::Ask::Put { batch } = &ask {
                let request: Request = batch.peek().unwrap();
                let Ask::Batch { events, .. } = &request.ask else {
                    panic!("{name}");
                };
                opened(events.iter(), name);
            }
            serde_json::to_value(ask).unwrap()
        } else {
            let reply: lan::Reply = serde_json::from_str(text).unwrap();
            if let lan::Reply::Log(log) = &reply
                && log.anew
            {
                opened(log.entries.iter().map(|entry| &entry.event), name);
            }
            serde_json::to_value(reply).unwrap()
        };
        assert!(keeps(&old, &new), "{}: {old}\n{new}", path.display());
    }
}

#[test]
fn recorded_bundles_are_opened_by_whom_they_are_for() {
    let key = SecretKey::from_seed([7; 32]);
    let mut versions = 0;
    for version in std::fs::read_dir(tests().join("recorded-bundle")).unwrap() {
        let folder = version.unwrap().path();
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let batches = bundle::open_events(&read("events.suda"), &key).unwrap();
        assert_eq!(batches.len(), 1);
        let request: Request = batches[0].open(&key.public()).unwrap();
        let Ask::Batch { events, .. } = &request.ask else {
            panic!("no batch in {}", folder.display());
        };
        opened(events.iter(), "events.suda");
        let words = bundle::open_words(&read("words.suda"), &key.public()).unwrap();
        let word: Word = words[0].open(&key.public()).unwrap();
        assert!(matches!(word, Word::Receipt(_)));
        versions += 1;
    }
    assert_eq!(versions, 1);
}

fn opened<'e>(events: impl Iterator<Item = &'e SealedEvent>, name: &str) {
    let mut count = 0;
    for event in events {
        event
            .open()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        count += 1;
    }
    assert!(count > 0, "{name}");
}
