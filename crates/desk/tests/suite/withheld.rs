//! What the management group says among itself is not on a branch's disk,
//! whichever version of the hub told it, and the ledger stays whole.

use sqlx::Connection as _;
use suda_desk::view::CaseView;
use suda_domain::State;
use suda_domain::fact::{Report, Stance};
use suda_domain::{Actor, ComplaintId, Complexity, Fact, FactKind, Grade, LeaseId, Role, StaffId};
use suda_sync::{SealedEvent, withheld};
use uuid::Uuid;

use crate::support::{Bench, behind_its_back, data_dir, form};

const SECRET: &str = "机密";

fn person(role: Role, name: &str) -> Actor {
    Actor {
        staff: Some(StaffId(Uuid::from_u128(role as u128 + 40))),
        name: name.into(),
        role,
        branch: None,
    }
}

/// A case that the hub's log takes through a refusal, a dissent and an approval.
async fn decided(bench: &Bench) -> ComplaintId {
    let id = bench
        .record_as(form("断网三天"), Grade::One, Complexity::Complex)
        .await;
    bench.desk.sync_once().await.unwrap();
    let (expert, manager) = (
        person(Role::Expert, "李专家"),
        person(Role::Management, SECRET),
    );
    let secret = || SECRET.to_owned();
    let part = || "查明".to_owned();
    bench.hub.write(id, 1, Actor::system(None), Fact::Queued);
    let ask = || Fact::ApprovalRequested {
        reason: secret(),
        compensation_minor: Some(60_000),
        votes: 1,
    };
    let claim = Fact::Claimed {
        lease: LeaseId(Uuid::now_v7()),
        until: chrono::Utc::now(),
    };
    let report = Fact::Reported {
        task: None,
        report: Report {
            root_cause: part(),
            impact: part(),
            proposal: part(),
            ..Report::default()
        },
    };
    let dissent = Fact::Commented {
        text: secret(),
        stance: Stance::Against,
    };
    let yes = Fact::Approved {
        comment: secret(),
        changes: secret(),
        compensation_minor: Some(30_000),
    };
    for (who, fact) in [
        (&expert, claim),
        (&expert, report),
        (&expert, ask()),
        (&manager, Fact::CommentsAsked { text: secret() }),
        (&manager, dissent),
        (&manager, Fact::Disapproved { reason: secret() }),
        (&expert, ask()),
        (&manager, yes),
        (&expert, Fact::Implemented { summary: part() }),
    ] {
        bench.hub.write(id, 2, who.clone(), fact);
    }
    id
}

/// How many rows of the closed database hold the words.
async fn telling(bench: &Bench) -> i64 {
    let mut conn = behind_its_back(bench.dir.path()).await;
    let found = sqlx::query_scalar(
        "select (select count(*) from event where instr(body, ?1) > 0) + \
         (select count(*) from complaint where instr(body, ?1) > 0)",
    );
    let found = found.bind(SECRET).fetch_one(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    found
}

async fn seen(bench: &Bench, id: ComplaintId) -> CaseView {
    let report = bench.desk.verify().await.unwrap();
    assert!(report.is_clean(), "{:?}", report.first_bad);
    bench.desk.case(&bench.session, id).await.unwrap()
}

#[tokio::test]
async fn no_word_of_it_is_on_the_disk_and_the_case_goes_on_as_at_the_hub() {
    for tells_whole in [true, false] {
        let bench = Bench::new().await;
        let id = decided(&bench).await;
        {
            let mut hub = bench.hub.state.lock().unwrap();
            assert!(
                hub.log
                    .iter()
                    .any(|event| event.body.get().contains(SECRET))
            );
            if !tells_whole {
                let log = std::mem::take(&mut hub.log);
                hub.log = log.into_iter().filter_map(withheld::for_branch).collect();
            }
        }
        bench.desk.sync_once().await.unwrap();
        let case = seen(&bench, id).await;
        assert_eq!(case.row.state, State::Implemented);
        assert_eq!(case.most_to_give, 30_000, "the sum binds the branch too");
        let kinds: Vec<FactKind> = case.timeline.iter().map(|entry| entry.kind).collect();
        assert!(
            kinds.contains(&FactKind::Approved),
            "that it was approved is told"
        );
        assert!(!kinds.contains(&FactKind::Commented));
        bench.desk.close().await.unwrap();
        assert_eq!(telling(&bench).await, 0);
    }
}

#[tokio::test]
async fn what_an_earlier_version_kept_of_it_goes_with_the_change_of_version() {
    let bench = Bench::new().await;
    let id = decided(&bench).await;
    bench.desk.sync_once().await.unwrap();
    let before = seen(&bench, id).await;
    bench.desk.close().await.unwrap();
    keep_whole(&bench).await;
    assert_eq!(telling(&bench).await, 6, "the control");
    // What the earlier version wrote is also in no journal.
    std::fs::remove_dir_all(data_dir(bench.dir.path()).join("journal")).unwrap();
    let bench = bench.reopen().await;
    let after = seen(&bench, id).await;
    assert_eq!(
        (after.row.state, after.timeline),
        (before.row.state, before.timeline)
    );
    bench.desk.close().await.unwrap();
    assert_eq!(telling(&bench).await, 0);
}

/// Makes the database what a version before this rule has left.
async fn keep_whole(bench: &Bench) {
    let log: Vec<SealedEvent> = bench.hub.state.lock().unwrap().log.clone();
    let mut conn = behind_its_back(bench.dir.path()).await;
    for (seq, sealed) in (1_i64..).zip(log) {
        let event = sealed.open().unwrap();
        if !event.fact.kind().is_deliberation() {
            continue;
        }
        // Where it stands without the words, it stands with them; the rest of
        // what was said comes behind.
        let told = withheld::for_branch(sealed.clone());
        let row: Option<i64> = sqlx::query_scalar("select seq from event where hash = ?")
            .bind(told.map_or_else(Vec::new, |told| told.hash.0.to_vec()))
            .fetch_optional(&mut conn)
            .await
            .unwrap();
        sqlx::query(
            "insert or replace into event (seq, device, incarnation, lane, n, complaint, at, body, \
             prev, hash, own, hub_seq) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
        )
        .bind(row)
        .bind(event.key.device.0)
        .bind(event.key.incarnation)
        .bind(event.key.lane.number())
        .bind(i64::try_from(event.key.n).unwrap())
        .bind(event.complaint.0)
        .bind(event.at.trusted().timestamp_millis())
        .bind(sealed.body.get())
        .bind(sealed.prev.0.to_vec())
        .bind(sealed.hash.0.to_vec())
        .bind(seq)
        .execute(&mut conn)
        .await
        .unwrap();
    }
    // What later versions have added is not there yet.
    for sql in [
        "drop index event_placed",
        "alter table link drop column compared_upto",
        "alter table link drop column compared_at",
        "alter table link drop column differs",
    ] {
        sqlx::query(sql).execute(&mut conn).await.unwrap();
    }
    sqlx::query("pragma user_version = 13")
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
}
