//! Enrolment and sync against a small hub, and against what is no hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use chrono::TimeDelta;
use suda_desk::view::{Delivery, LinkTrouble, LinkView, Scope, Settlement};
use suda_desk::{Change, Desk, EnrolError, KeySource, SyncError, TransportError};
use suda_domain::fact::HandoffCause;
use suda_domain::{
    Actor, Complexity, Fact, Grade, HandoffPacket, Lane, LeaseId, Role, StaffId, State,
};
use suda_sync::{SecretKey, SetAside};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::support::{BRANCH, Bench, CODE, Hub, data_dir, form, key_file, staff};

/// Something at an address that answers every connection with fixed bytes.
async fn answering(bytes: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut question = [0; 4096];
                let mut reading = stream.read(&mut question).await;
                stream.write_all(bytes).await.ok();
                stream.shutdown().await.ok();
                // Closing with unread bytes would cut off the answer.
                while reading.is_ok_and(|count| count > 0) {
                    reading = stream.read(&mut question).await;
                }
            });
        }
    });
    url
}

async fn closed_port() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn enrol_at(url: &str, code: &str) -> EnrolError {
    let dir = tempfile::tempdir().unwrap();
    let key = KeySource::File(key_file(dir.path()));
    let desk = Desk::open(&data_dir(dir.path()), key).await.unwrap();
    let failed = desk.enrol(url, code).await.expect_err("must not enrol");
    assert!(desk.enrolment().is_none());
    failed
}

#[tokio::test]
async fn enrolment_failures_each_have_their_own_error() {
    let hub = Hub::start().await;
    assert!(matches!(
        enrol_at(&hub.url, "WRONG").await,
        EnrolError::CodeUnknown
    ));
    hub.state.lock().unwrap().code_used = true;
    assert!(matches!(
        enrol_at(&hub.url, CODE).await,
        EnrolError::CodeUsed
    ));
    let transport = |error| match error {
        EnrolError::Transport(error) => error,
        other => panic!("{other:?}"),
    };
    let html =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 14\r\n\r\n<html>hi</html";
    let address = answering(html).await;
    assert!(matches!(
        transport(enrol_at(&address, CODE).await),
        TransportError::NotSuda
    ));
    let not_found = b"HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\nnot found";
    let address = answering(not_found).await;
    assert!(matches!(
        transport(enrol_at(&address, CODE).await),
        TransportError::NotSuda
    ));
    let address = answering(b"\x15\x03garbage that is not HTTP\r\n\r\n").await;
    assert!(matches!(
        transport(enrol_at(&address, CODE).await),
        TransportError::NotSuda
    ));
    let address = answering(b"").await;
    assert!(matches!(
        transport(enrol_at(&address, CODE).await),
        TransportError::Unreachable(_)
    ));
    let address = closed_port().await;
    assert!(matches!(
        transport(enrol_at(&address, CODE).await),
        TransportError::Unreachable(_)
    ));
    assert!(matches!(
        transport(enrol_at("hub", CODE).await),
        TransportError::Address
    ));
    let failing = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    let address = answering(failing).await;
    assert!(matches!(
        enrol_at(&address, CODE).await,
        EnrolError::HubFailing(503)
    ));
}

#[tokio::test]
async fn an_enrolled_desk_stays_what_it_is() {
    let bench = Bench::new().await;
    let view = bench.desk.enrolment().unwrap();
    assert_eq!(
        (view.branch.as_str(), view.desk_letter.as_str()),
        ("CQ0123", "A")
    );
    let again = bench.desk.enrol(&bench.hub.url, CODE).await;
    assert!(matches!(again, Err(EnrolError::AlreadyEnrolled)));
    let bench = bench.reopen().await;
    assert_eq!(bench.desk.enrolment(), Some(view));
}

#[tokio::test]
async fn a_sync_empties_the_lanes_and_says_at_hub_only_after_the_receipt() {
    let bench = Bench::new().await;
    for n in 0..130 {
        bench
            .record(form(&format!("第{n}件 {}", "长".repeat(400))))
            .await;
    }
    let urgent = bench
        .record_as(form("急"), Grade::One, Complexity::Complex)
        .await;
    let before = bench.desk.case(&bench.session, urgent).await.unwrap();
    assert_eq!(before.row.delivery, Delivery::SavedHere);
    let summary = bench.desk.sync_once().await.unwrap();
    assert_eq!(summary.sent, 131 * 3);
    let report = bench.desk.report().await.unwrap();
    assert_eq!(report.unsent.total(), 0);
    assert_eq!(report.oldest_unsent_at, None);
    assert!(report.last_receipt_at.is_some());
    assert_eq!(report.hub_epoch.as_deref(), Some("e1"));
    let after = bench.desk.case(&bench.session, urgent).await.unwrap();
    assert!(
        after
            .timeline
            .iter()
            .all(|entry| entry.delivery == Delivery::AtHub)
    );
    // The own events came back with the log and changed nothing.
    let verified = bench.desk.verify().await.unwrap();
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!(verified.events, 131 * 3);
    assert_eq!(bench.desk.sync_once().await.unwrap().sent, 0);
    assert_eq!(bench.desk.status().await.unwrap().link, LinkView::Up);
}

#[tokio::test]
async fn what_the_experts_do_comes_back_and_a_refused_event_blocks_nothing() {
    let bench = Bench::new().await;
    let id = bench
        .record_as(form("断网"), Grade::Two, Complexity::Complex)
        .await;
    bench.desk.sync_once().await.unwrap();
    let expert = staff("li", "李专家", Role::Expert);
    let by_expert = Actor {
        staff: Some(expert.id),
        name: expert.name,
        role: Role::Expert,
        branch: None,
    };
    bench.hub.write(id, 1, Actor::system(None), Fact::Queued);
    // Written under an owner number not reached: kept, changes nothing.
    bench.hub.write(
        id,
        9,
        by_expert.clone(),
        Fact::Implemented {
            summary: "?".into(),
        },
    );
    let until = chrono::Utc::now() + TimeDelta::minutes(30);
    let claim = Fact::Claimed {
        lease: LeaseId(Uuid::new_v4()),
        until,
    };
    bench.hub.write(id, 2, by_expert, claim);
    bench.desk.sync_once().await.unwrap();
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    assert_eq!(case.row.state, State::Claimed);
    assert_eq!(case.expert_name.as_deref(), Some("李专家"));
    assert!(case.with_experts && !case.can_settle && !case.can_hand_off);
    assert_eq!(case.timeline.len(), 6);
    assert!(bench.desk.verify().await.unwrap().is_clean());
}

#[tokio::test]
async fn a_new_directory_takes_accounts_away_and_moves_the_clock() {
    let bench = Bench::new().await;
    {
        let mut hub = bench.hub.state.lock().unwrap();
        hub.directory.version = 2;
        hub.directory.staff[0].active = false;
        hub.clock_ahead = TimeDelta::minutes(5);
    }
    let mut changes = bench.desk.changes();
    bench.desk.sync_once().await.unwrap();
    assert!(std::iter::from_fn(|| changes.try_recv().ok()).any(|c| c == Change::Directory));
    assert!(bench.desk.draft_open(&bench.session).await.is_err());
    let off = bench.desk.status().await.unwrap().clock_off_by_s.unwrap();
    assert!((298..=302).contains(&off), "{off}");
}

#[tokio::test]
async fn a_hub_gone_wrong_loses_nothing_and_the_status_line_says_what_is_wrong() {
    let bench = Bench::new().await;
    bench.record(form("一")).await;
    let trouble = async || {
        let failed = bench.desk.sync_once().await.unwrap_err();
        assert_eq!(bench.desk.report().await.unwrap().unsent.total(), 3);
        let status = bench.desk.status().await.unwrap();
        assert_eq!(status.link, LinkView::Down);
        (failed, status.trouble)
    };
    let instead = |answer| bench.hub.state.lock().unwrap().instead = answer;
    for (answer, told) in [
        (
            (StatusCode::OK, "<html>Sign in</html>"),
            LinkTrouble::NotAHub,
        ),
        ((StatusCode::OK, "\u{0}\u{1}garbage"), LinkTrouble::NotAHub),
        ((StatusCode::PAYLOAD_TOO_LARGE, ""), LinkTrouble::NotAHub),
        ((StatusCode::BAD_GATEWAY, "<html>"), LinkTrouble::Failing),
    ] {
        instead(Some(answer));
        assert_eq!(trouble().await.1, Some(told), "{answer:?}");
    }
    instead(None);
    let (own_key, stranger) = (
        bench.hub.state.lock().unwrap().device_key,
        SecretKey::from_seed([1; 32]),
    );
    bench.hub.state.lock().unwrap().device_key = Some(stranger.public());
    let (failed, told) = trouble().await;
    assert!(matches!(failed, SyncError::Refused(_)), "{failed:?}");
    assert_eq!(told, Some(LinkTrouble::NotKnown));
    bench.hub.state.lock().unwrap().device_key = own_key;
    let hub_key = std::mem::replace(&mut bench.hub.state.lock().unwrap().key, stranger);
    assert_eq!(trouble().await.1, Some(LinkTrouble::ForeignHub));

    // The control: with the hub as it was, everything goes through and nothing is told.
    bench.hub.state.lock().unwrap().key = hub_key;
    bench.desk.sync_once().await.unwrap();
    assert_eq!(bench.desk.report().await.unwrap().unsent.total(), 0);
    assert_eq!(bench.desk.status().await.unwrap().trouble, None);
}

#[tokio::test]
async fn while_syncing_a_save_is_sent_and_news_come_without_asking() {
    let bench = Bench::new().await;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let desk = bench.desk.clone();
    let syncing = tokio::spawn(async move {
        let shutdown = async {
            while !stopped.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        desk.sync_forever(shutdown).await
    });
    let id = bench
        .record_as(form("断网"), Grade::Two, Complexity::Complex)
        .await;
    until("sent", async || {
        bench.desk.report().await.unwrap().unsent.total() == 0
    })
    .await;
    bench.hub.write(id, 1, Actor::system(None), Fact::Queued);
    until("queued", async || {
        bench.desk.case(&bench.session, id).await.unwrap().row.state == State::Queued
    })
    .await;
    let page = bench
        .desk
        .cases(&bench.session, Scope::WithExperts, None, 5)
        .await
        .unwrap();
    assert_eq!(page.rows[0].delivery, Delivery::AtHub);
    stop.store(true, Ordering::Relaxed);
    syncing.await.unwrap().unwrap();
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    for _ in 0..1000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not {what} within 10 s");
}

#[tokio::test]
async fn what_the_hub_sets_aside_is_not_shown_as_arrived_until_decided() {
    let bench = Bench::new().await;
    let id = bench.record(form("宽带断了三天")).await;
    let other = bench.record(form("多扣了话费")).await;
    let first = SetAside {
        lane: Lane::Ordinary,
        n: 2,
    };
    bench.hub.state.lock().unwrap().set_aside = vec![first];
    bench.desk.sync_once().await.unwrap();
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    assert_eq!(case.row.delivery, Delivery::SetAside);
    let entries: Vec<_> = case.timeline.iter().map(|entry| entry.delivery).collect();
    assert_eq!(
        entries,
        [Delivery::AtHub, Delivery::SetAside, Delivery::AtHub],
        "only the one record"
    );
    let case = bench.desk.case(&bench.session, other).await.unwrap();
    assert_eq!(case.row.delivery, Delivery::AtHub);
    assert_eq!(bench.desk.status().await.unwrap().set_aside, 1);

    // Kept over a restart, and gone once somebody has decided.
    let bench = bench.reopen().await;
    assert_eq!(bench.desk.status().await.unwrap().set_aside, 1);
    bench.hub.state.lock().unwrap().set_aside.clear();
    bench.desk.sync_once().await.unwrap();
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    assert_eq!(case.row.delivery, Delivery::AtHub);
    assert_eq!(bench.desk.status().await.unwrap().set_aside, 0);
}

/// A colleague at the other desk hands off what this desk, without a link, has
/// settled: the hub took the handoff, and the experts' steps must be seen here.
#[tokio::test]
async fn what_another_desk_did_first_at_the_hub_holds() {
    let bench = Bench::new().await;
    let id = bench
        .record_as(form("营业员态度不好"), Grade::Three, Complexity::Simple)
        .await;
    let before = bench.desk.case(&bench.session, id).await.unwrap();
    let settlement = Settlement {
        summary: "已道歉".into(),
        remedy: "道歉".into(),
        amount_minor: None,
        deviation: String::new(),
    };
    let settled = bench.desk.settle(&bench.session, id, settlement).await;
    assert_eq!(settled.unwrap().row.state, State::Answered);

    let colleague = bench.hub.state.lock().unwrap().directory.staff[1].clone();
    let colleague = Actor {
        staff: Some(colleague.id),
        name: colleague.name,
        role: colleague.role,
        branch: colleague.branch,
    };
    let packet = HandoffPacket {
        reference: before.row.reference.clone(),
        branch: BRANCH.parse().unwrap(),
        arrived_at: before.row.arrived_at,
        recorded_at: before.recorded_at,
        late: false,
        intake: before.intake.clone(),
        cut: false,
        grade: Grade::Three,
        complexity: Complexity::Complex,
        cycle: 1,
        // Of that desk's own ordinary lane, which wrote nothing of it.
        recused: Vec::new(),
        upto_n: 0,
    };
    let handed_off = Fact::HandedOff {
        packet: Box::new(packet),
        cause: HandoffCause::Manual,
    };
    bench.hub.write(id, 1, colleague, handed_off);
    bench.hub.write(id, 1, Actor::system(None), Fact::Queued);
    bench.desk.sync_once().await.unwrap();
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    assert_eq!(case.row.state, State::Queued, "the experts have it");
    assert!(case.with_experts);
    assert!(
        case.timeline
            .iter()
            .any(|entry| matches!(entry.fact, Fact::Settled { .. })),
        "what was done here is still told"
    );

    let expert = Actor {
        staff: Some(StaffId(Uuid::now_v7())),
        name: "李专家".into(),
        role: Role::Expert,
        branch: None,
    };
    let claim = Fact::Claimed {
        lease: LeaseId(Uuid::now_v7()),
        until: chrono::Utc::now() + TimeDelta::minutes(30),
    };
    bench.hub.write(id, 2, expert, claim);
    bench.desk.sync_once().await.unwrap();
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    assert_eq!(
        case.row.state,
        State::Claimed,
        "and every step of theirs is seen"
    );
    assert!(bench.desk.verify().await.unwrap().is_clean());
}
