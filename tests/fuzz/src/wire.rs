//! What a desk and a hub read from the network, and what a desk and the mailbox of
//! its branch do: a signed message, its question or answer, and the events in it.
//! Nothing may panic, and what was read is written and read again as the same.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use suda_domain::LedgerEvent;
use suda_sync::lan;
use suda_sync::message::{Ask, Reply, Request};
use suda_sync::{SealedEvent, SecretKey, Signed};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(signed) = serde_json::from_slice::<Signed>(bytes) {
        let _ = signed.is_from(&SecretKey::from_seed([7; 32]).public());
        question(signed.body.get());
        answer(signed.body.get());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        question(text);
        answer(text);
        event(text);
        mailbox_question(text);
        mailbox_answer(text);
    }
});

fn question(text: &str) {
    let Ok(request) = serde_json::from_str::<Request>(text) else {
        return;
    };
    if let Ask::Batch { events, .. } = &request.ask {
        opened(events.iter());
    }
    same_again(&request);
}

fn answer(text: &str) {
    let Ok(reply) = serde_json::from_str::<Reply>(text) else {
        return;
    };
    if let Reply::Page(page) = &reply {
        opened(page.entries.iter().map(|entry| &entry.event));
    }
    same_again(&reply);
}

/// What a mailbox is asked. A batch is looked at as it looks at it, whoever it is
/// from.
fn mailbox_question(text: &str) {
    let Ok(ask) = serde_json::from_str::<lan::Ask>(text) else {
        return;
    };
    if let lan::Ask::Put { batch } = &ask
        && let Ok(request) = batch.peek::<Request>()
    {
        let key = SecretKey::from_seed([7; 32]);
        let signed = Signed::seal(&request, &key).expect("what was read can be written");
        if let Ok(named) = lan::named((request.device, &key.public()), &signed) {
            let _ = lan::came(named.batch.lane, &signed);
            let _ = lan::take(named, &BTreeMap::new());
        }
    }
    same_again(&ask);
}

fn mailbox_answer(text: &str) {
    let Ok(reply) = serde_json::from_str::<lan::Reply>(text) else {
        return;
    };
    if let lan::Reply::Log(log) = &reply {
        opened(log.entries.iter().map(|entry| &entry.event));
        for entry in &log.entries {
            let _ = log.told(entry.hub, log.epoch.as_deref());
        }
    }
    same_again(&reply);
}

fn same_again<T: Serialize + DeserializeOwned>(read: &T) {
    let again = serde_json::to_string(read).expect("what was read can be written");
    let twice: T = serde_json::from_str(&again).expect("what was written can be read");
    let twice = serde_json::to_string(&twice).expect("what was read can be written");
    assert_eq!(again, twice);
}

fn opened<'e>(events: impl Iterator<Item = &'e SealedEvent>) {
    let read: Vec<LedgerEvent> = events.filter_map(|event| event.open().ok()).collect();
    fold(&read);
}

fn event(text: &str) {
    if let Ok(event) = serde_json::from_str::<LedgerEvent>(text) {
        fold(&[event]);
    }
}

/// The rules take any order of any events.
fn fold(events: &[LedgerEvent]) {
    let mut state = None;
    for event in events {
        let _ = suda_sync::fold::apply(&mut state, event);
    }
}
