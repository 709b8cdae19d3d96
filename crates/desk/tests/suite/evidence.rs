//! Evidence at the desk: what is added is whole, sealed and on the disk, what
//! cannot be added leaves nothing, and a hub that takes none is no error.

use std::path::{Path, PathBuf};

use suda_desk::view::EvidenceDelivery;
use suda_desk::{AddEvidenceError, EvidenceSource, TakeInError};
use suda_domain::{EvidenceKind, FactKind};

use super::support::*;

fn picture(bytes: usize) -> Vec<u8> {
    let mut picture = b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec();
    picture.extend((picture.len()..bytes).map(|n| (n * 31 % 251) as u8));
    picture
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Everything below a directory, but what is only being looked at.
fn sealed_files(bench: &Bench) -> Vec<PathBuf> {
    let dir = data_dir(bench.dir.path()).join("evidence");
    let entries = std::fs::read_dir(dir).map(|all| all.flatten().map(|one| one.path()));
    entries.map(Iterator::collect).unwrap_or_default()
}

#[tokio::test]
async fn a_file_added_to_a_complaint_is_kept_sealed_once_and_given_out_as_it_was() {
    let bench = Bench::new().await;
    let id = bench.record(form("多扣话费")).await;
    let contents = picture(700_000);
    let outside = tempfile::tempdir().unwrap();
    let path = write(outside.path(), "账单.jpg", &contents);
    let add = async || {
        let source = EvidenceSource::File(path.clone());
        bench
            .desk
            .add_evidence(&bench.session, id, source, None)
            .await
            .unwrap()
    };
    let added = add().await;
    assert_eq!((added.kind, added.bytes), (EvidenceKind::Photo, 700_000));
    assert_eq!(add().await, added, "the same contents are the same file");
    let [sealed] = sealed_files(&bench).try_into().unwrap();
    let raw = std::fs::read(sealed).unwrap();
    assert!(
        !raw.windows(64).any(|part| part == &contents[1000..1064]),
        "sealed"
    );
    let to = outside.path().join("out.jpg");
    bench
        .desk
        .save_evidence(id, added.id, to.clone())
        .await
        .unwrap();
    assert!(std::fs::read(to).unwrap() == contents);
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    let added_events = case
        .timeline
        .iter()
        .filter(|entry| entry.kind == FactKind::EvidenceAdded);
    assert_eq!(added_events.count(), 1);
    assert!(bench.desk.verify().await.unwrap().is_clean());
}

#[tokio::test]
async fn what_cannot_be_added_is_told_in_a_sentence_and_leaves_nothing() {
    let bench = Bench::new().await;
    let id = bench.record(form("多扣话费")).await;
    let outside = tempfile::tempdir().unwrap();
    let add = async |path: &Path| {
        let source = EvidenceSource::File(path.to_owned());
        bench
            .desk
            .add_evidence(&bench.session, id, source, None)
            .await
            .unwrap_err()
    };
    let empty = write(outside.path(), "empty.jpg", b"");
    let script = write(outside.path(), "script.jpg", b"#!/bin/sh\n");
    let large = write(outside.path(), "large.jpg", &picture(100));
    let file = std::fs::File::options().write(true).open(&large).unwrap();
    file.set_len(suda_domain::evidence::MOST_BYTES + 1).unwrap();
    use AddEvidenceError::TakeIn;
    assert!(matches!(add(&empty).await, TakeIn(TakeInError::Empty)));
    assert!(matches!(
        add(&script).await,
        TakeIn(TakeInError::TypeNotTaken)
    ));
    assert!(matches!(
        add(&large).await,
        TakeIn(TakeInError::TooLarge { .. })
    ));
    let gone = outside.path().join("gone.jpg");
    assert!(matches!(
        add(&gone).await,
        TakeIn(TakeInError::Unreadable(_))
    ));
    assert!(matches!(
        add(outside.path()).await,
        AddEvidenceError::NotAFile
    ));
    for path in [&empty, &script, &large, &gone] {
        let said = add(path).await.to_string();
        assert!(
            !said.contains("jpg"),
            "a file's name may be personal: {said}"
        );
    }
    let source = EvidenceSource::Bytes {
        name: "x".into(),
        bytes: picture(100),
    };
    let wrong = Some(EvidenceKind::Audio);
    let refused = bench
        .desk
        .add_evidence(&bench.session, id, source, wrong)
        .await;
    assert!(matches!(refused, Err(AddEvidenceError::KindDoesNotFit)));
    assert!(sealed_files(&bench).is_empty());
    assert!(
        bench
            .desk
            .evidence(&bench.session, id)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn files_of_a_form_belong_to_the_complaint_it_becomes_also_after_a_crash() {
    let bench = Bench::new().await;
    let draft = bench.desk.draft_open(&bench.session).await.unwrap().id;
    let source = |bytes| EvidenceSource::Bytes {
        name: "粘贴.png".into(),
        bytes: picture(bytes),
    };
    bench
        .desk
        .add_evidence(&bench.session, draft, source(300), None)
        .await
        .unwrap();
    let second = bench
        .desk
        .add_evidence(&bench.session, draft, source(400), None)
        .await
        .unwrap();
    bench
        .desk
        .remove_evidence(&bench.session, draft, second.id)
        .await
        .unwrap();
    assert_eq!(sealed_files(&bench).len(), 1, "what was taken off is gone");

    let bench = bench.crash(|_| {}).await;
    let drafts = bench.desk.drafts(&bench.session).await.unwrap();
    assert_eq!(
        drafts.first().map(|draft| draft.id),
        Some(draft),
        "a file is a reason to keep a form"
    );
    let intake = form("多扣话费");
    let assessment = bench.suggested(&intake).await;
    bench
        .desk
        .record(&bench.session, draft, intake, assessment, None)
        .await
        .unwrap();
    let files = bench.desk.evidence(&bench.session, draft).await.unwrap();
    assert_eq!((files.len(), files[0].here), (1, true));
    let case = bench.desk.case(&bench.session, draft).await.unwrap();
    assert!(
        case.timeline
            .iter()
            .any(|entry| entry.kind == FactKind::EvidenceAdded)
    );
    let refused = bench
        .desk
        .remove_evidence(&bench.session, draft, files[0].id)
        .await;
    assert!(refused.is_err(), "what is recorded stays");

    // A form thrown away takes its files along.
    let other = bench.desk.draft_open(&bench.session).await.unwrap().id;
    bench
        .desk
        .add_evidence(&bench.session, other, source(500), None)
        .await
        .unwrap();
    bench
        .desk
        .draft_discard(&bench.session, other)
        .await
        .unwrap();
    assert_eq!(sealed_files(&bench).len(), 1);
}

#[tokio::test]
async fn what_a_crash_left_half_written_goes_at_the_next_start() {
    let bench = Bench::new().await;
    let id = bench.record(form("多扣话费")).await;
    let source = EvidenceSource::Bytes {
        name: "a.jpg".into(),
        bytes: picture(300),
    };
    bench
        .desk
        .add_evidence(&bench.session, id, source, None)
        .await
        .unwrap();
    let dir = data_dir(bench.dir.path()).join("evidence");
    write(&dir, "4cfbe1c4-0000-4000-8000-000000000000.part", b"half");
    let bench = bench.crash(|_| {}).await;
    assert_eq!(sealed_files(&bench).len(), 1);
    let files = bench.desk.evidence(&bench.session, id).await.unwrap();
    assert!(files[0].here);
}

#[tokio::test]
async fn a_hub_that_takes_no_evidence_gets_everything_else_and_the_files_wait() {
    let bench = Bench::new().await;
    let id = bench.record(form("多扣话费")).await;
    let source = EvidenceSource::Bytes {
        name: "a.jpg".into(),
        bytes: picture(300),
    };
    bench
        .desk
        .add_evidence(&bench.session, id, source, None)
        .await
        .unwrap();
    bench.desk.sync_once().await.unwrap();
    let report = bench.desk.report().await.unwrap();
    assert_eq!(
        (report.evidence_waiting, report.evidence_waiting_bytes),
        (1, 300)
    );
    assert_eq!((report.unsent.lane1, report.unsent.lane2), (0, 1));
    let status = bench.desk.status().await.unwrap();
    assert!(status.evidence_needs_newer_hub);
    let files = bench.desk.evidence(&bench.session, id).await.unwrap();
    assert_eq!(files[0].delivery, EvidenceDelivery::SavedHere);
}
