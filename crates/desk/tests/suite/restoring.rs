//! Damaged, gone, old and restored data: what was acknowledged is there again,
//! and each means is seen to be needed.

use std::path::{Path, PathBuf};

use suda_desk::{Desk, KeySource, OpenError, StartNotice};
use suda_domain::{ComplaintId, Complexity, Grade};

use crate::support::{Bench, HandClock, data_dir, form, key_file};

async fn record(bench: &Bench, text: &str, count: usize) -> Vec<ComplaintId> {
    let mut ids = Vec::new();
    for n in 0..count {
        let text = form(&format!("{text}{n}，断网三天多次报修无人处理。"));
        ids.push(bench.record_as(text, Grade::Two, Complexity::Complex).await);
    }
    ids
}

async fn missing(bench: &Bench, ids: &[ComplaintId]) -> usize {
    let mut missing = 0;
    for id in ids {
        missing += usize::from(bench.desk.case(&bench.session, *id).await.is_err());
    }
    missing
}

/// Closes, changes the files, and opens again.
async fn reopened(bench: Bench, change: impl FnOnce(&Path)) -> Bench {
    bench.desk.close().await.unwrap();
    let Bench {
        dir,
        hub,
        clock,
        desk,
        session: _,
    } = bench;
    drop(desk);
    change(&data_dir(dir.path()));
    let desk = crate::support::open(dir.path(), clock.clone()).await;
    let session = desk
        .sign_in("wang", crate::support::PASSWORD)
        .await
        .unwrap();
    Bench {
        dir,
        hub,
        clock,
        desk,
        session,
    }
}

fn flip(file: &Path, at: impl FnOnce(usize) -> usize) {
    let mut bytes = std::fs::read(file).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 0x40;
    std::fs::write(file, bytes).unwrap();
}

fn incarnation(report: &suda_desk::StatusReport) -> u32 {
    report.incarnation.unwrap()
}

fn quarantined(data: &Path) -> usize {
    let folder = data.join("quarantine");
    std::fs::read_dir(folder).map_or(0, |entries| {
        entries
            .filter(|entry| entry.as_ref().unwrap().path().join("suda.db").exists())
            .count()
    })
}

#[tokio::test]
async fn wherever_a_byte_is_flipped_everything_acknowledged_is_there_again() {
    let mut bench = Bench::new().await;
    let mut ids = record(&bench, "前", 4).await;
    bench.desk.back_up_now().await.unwrap();
    ids.extend(record(&bench, "后", 4).await);
    for (turn, part) in (1..).zip([0, 1, 20, 35, 50, 70, 99]) {
        bench = reopened(bench, |data| {
            flip(&data.join("suda.db"), |len| (len - 1) * part / 100);
        })
        .await;
        assert_eq!(missing(&bench, &ids).await, 0, "at {part} %");
        assert!(bench.desk.verify().await.unwrap().is_clean());
        let report = bench.desk.report().await.unwrap();
        assert_eq!(incarnation(&report), 1, "nothing was lost");
        assert_eq!(report.unsent.total(), 3 * ids.len() as u64);
        assert_eq!(bench.desk.start_notice(), Some(StartNotice::Restored));
        assert_eq!(quarantined(&data_dir(bench.dir.path())), turn);
        ids.extend(record(&bench, "又", 1).await);
    }
    bench.desk.sync_once().await.unwrap();
    assert_eq!(bench.desk.report().await.unwrap().unsent.total(), 0);
}

/// The control of the test above: the same damage, the journal away.
#[tokio::test]
async fn without_the_journal_what_the_backup_lacks_is_lost_and_the_data_go_on_anew() {
    let bench = Bench::new().await;
    let before = record(&bench, "前", 3).await;
    bench.desk.back_up_now().await.unwrap();
    let after = record(&bench, "后", 3).await;
    let last = bench
        .desk
        .receipt(&bench.session, after[2])
        .await
        .unwrap()
        .reference;
    let bench = reopened(bench, |data| {
        flip(&data.join("suda.db"), |len| len / 2);
        std::fs::remove_dir_all(data.join("journal")).unwrap();
    })
    .await;
    assert_eq!(missing(&bench, &before).await, 0);
    assert_eq!(missing(&bench, &after).await, 3);
    assert_eq!(bench.desk.start_notice(), Some(StartNotice::AwaitsHub));
    let report = bench.desk.report().await.unwrap();
    assert_eq!(incarnation(&report), 2);
    assert_eq!(
        report.unsent.total(),
        9,
        "the old incarnation's wait to be sent"
    );
    // A number that may stand on a customer's receipt is not given again.
    let next = record(&bench, "新", 1).await;
    let number = bench
        .desk
        .receipt(&bench.session, next[0])
        .await
        .unwrap()
        .reference;
    assert!(number.as_str() > last.as_str(), "{number} after {last}");
    assert!(bench.desk.verify().await.unwrap().is_clean());
    let bench = bench.reopen().await;
    assert_eq!(incarnation(&bench.desk.report().await.unwrap()), 2);
    assert_eq!(bench.desk.start_notice(), None);
}

#[tokio::test]
async fn without_any_backup_a_new_database_is_made_from_the_journal() {
    let bench = Bench::new().await;
    let ids = record(&bench, "件", 5).await;
    let bench = reopened(bench, |data| {
        std::fs::write(data.join("suda.db"), "x".repeat(9_000)).unwrap();
    })
    .await;
    assert_eq!(missing(&bench, &ids).await, 0);
    assert!(bench.desk.verify().await.unwrap().is_clean());
    assert_eq!(incarnation(&bench.desk.report().await.unwrap()), 1);
    bench.desk.sync_once().await.unwrap();
    assert_eq!(bench.hub.state.lock().unwrap().log.len(), 15);
    // Gone as a whole, with everything at the hub: it comes back from there.
    let bench = reopened(bench, |data| {
        std::fs::remove_file(data.join("suda.db")).unwrap();
        std::fs::remove_dir_all(data.join("journal")).unwrap();
    })
    .await;
    assert_eq!(bench.desk.start_notice(), Some(StartNotice::AwaitsHub));
    assert_eq!(missing(&bench, &ids).await, 5);
    bench.desk.sync_once().await.unwrap();
    assert_eq!(missing(&bench, &ids).await, 0);
}

#[tokio::test]
async fn an_older_file_copied_over_is_noticed_and_made_good() {
    let bench = Bench::new().await;
    let mut ids = record(&bench, "前", 2).await;
    let old = bench.dir.path().join("old.db");
    bench.desk.back_up_to(&old).await.unwrap();
    ids.extend(record(&bench, "后", 2).await);
    let bench = reopened(bench, |data| {
        std::fs::copy(&old, data.join("suda.db")).unwrap();
    })
    .await;
    assert_eq!(missing(&bench, &ids).await, 0);
    assert_eq!(bench.desk.start_notice(), Some(StartNotice::PutBack));
    assert_eq!(incarnation(&bench.desk.report().await.unwrap()), 1);

    // With everything receipted the journal is empty, and still knows how far it was.
    bench.desk.sync_once().await.unwrap();
    ids.extend(record(&bench, "多", 30).await);
    bench.desk.sync_once().await.unwrap();
    let last = bench
        .desk
        .receipt(&bench.session, ids[ids.len() - 1])
        .await
        .unwrap()
        .reference;
    let bench = reopened(bench, |data| {
        std::fs::copy(&old, data.join("suda.db")).unwrap();
    })
    .await;
    assert_eq!(missing(&bench, &ids).await, 32);
    assert_eq!(bench.desk.start_notice(), Some(StartNotice::AwaitsHub));
    assert_eq!(incarnation(&bench.desk.report().await.unwrap()), 2);
    let next = record(&bench, "新", 1).await;
    let number = bench
        .desk
        .receipt(&bench.session, next[0])
        .await
        .unwrap()
        .reference;
    assert!(number.as_str() > last.as_str(), "{number} after {last}");
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The data as a power cut leaves them: copied while the program has them open.
fn as_after_a_power_cut(bench: &Bench, name: &str) -> PathBuf {
    let copy = bench.dir.path().join(name);
    copy_dir(&data_dir(bench.dir.path()), &copy);
    std::fs::remove_file(copy.join("suda.db-shm")).ok();
    copy
}

async fn open_copy(bench: &Bench, copy: &Path) -> Result<Desk, OpenError> {
    let key = KeySource::File(key_file(bench.dir.path()));
    Desk::open_at(copy, key, HandClock::new()).await
}

#[tokio::test]
async fn a_log_with_a_flipped_byte_loses_nothing_and_without_the_journal_it_does() {
    let bench = Bench::new().await;
    record(&bench, "件", 6).await;
    // Before the end of the enrolment's own transaction, and behind it.
    for (name, journal, place) in [("all", true, 2), ("with", true, 9), ("without", false, 9)] {
        let copy = as_after_a_power_cut(&bench, name);
        flip(&copy.join("suda.db-wal"), |len| len / 10 * place);
        if !journal {
            std::fs::remove_dir_all(copy.join("journal")).unwrap();
        }
        let desk = open_copy(&bench, &copy).await.unwrap();
        let complaints = desk.report().await.unwrap().complaints;
        if journal {
            assert_eq!(complaints, 6);
            let expected = match place {
                2 => StartNotice::Restored,
                _ => StartNotice::LogDamaged,
            };
            assert_eq!(desk.start_notice(), Some(expected));
        } else {
            assert!(complaints < 6, "the control must lose");
            assert_eq!(desk.start_notice(), Some(StartNotice::AwaitsHub));
        }
        assert!(copy.join("quarantine/log-0001").exists());
        assert!(desk.verify().await.unwrap().is_clean());
        desk.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_restore_cut_off_at_any_step_is_taken_up_again() {
    let bench = Bench::new().await;
    record(&bench, "件", 30).await;
    // Closed once, so that the log holds what came after and no more.
    let bench = bench.reopen().await;
    let backup = bench.desk.back_up_now().await.unwrap().file;
    record(&bench, "后", 2).await;
    for step in 0..5 {
        let copy = as_after_a_power_cut(&bench, &format!("step{step}"));
        let restoring = copy.join("restoring");
        std::fs::create_dir(&restoring).unwrap();
        let (part, ready) = (restoring.join("suda.db.part"), restoring.join("suda.db"));
        let aside = copy.join("quarantine/0001");
        match step {
            // Half copied.
            0 => std::fs::write(&part, "half").unwrap(),
            // Ready, nothing moved.
            1 => drop(std::fs::copy(&backup, &ready).unwrap()),
            // The log moved, the file not.
            2 | 3 => {
                std::fs::copy(&backup, &ready).unwrap();
                std::fs::create_dir_all(&aside).unwrap();
                std::fs::rename(copy.join("suda.db-wal"), aside.join("suda.db-wal")).unwrap();
                if step == 3 {
                    std::fs::rename(copy.join("suda.db"), aside.join("suda.db")).unwrap();
                }
            }
            // In its place, the folder not cleared away.
            _ => {
                std::fs::create_dir_all(&aside).unwrap();
                std::fs::rename(copy.join("suda.db-wal"), aside.join("suda.db-wal")).unwrap();
                std::fs::rename(copy.join("suda.db"), aside.join("suda.db")).unwrap();
                std::fs::copy(&backup, copy.join("suda.db")).unwrap();
            }
        }
        let desk = open_copy(&bench, &copy).await.unwrap();
        let report = desk.report().await.unwrap();
        assert_eq!(report.complaints, 32, "step {step}");
        assert_eq!(incarnation(&report), 1, "step {step}");
        assert!(desk.verify().await.unwrap().is_clean(), "step {step}");
        assert!(!restoring.exists());
        let kept = quarantined(&copy);
        assert_eq!(kept, usize::from(step > 0), "step {step}");
    }
}

#[tokio::test]
async fn a_backup_with_another_key_or_a_flipped_byte_is_refused_and_nothing_changed() {
    let bench = Bench::new().await;
    let ids = record(&bench, "件", 2).await;
    let backup = bench.dir.path().join("copy.db");
    bench.desk.back_up_to(&backup).await.unwrap();
    let other = Bench::new().await;
    let foreign = bench.dir.path().join("foreign.db");
    other.desk.back_up_to(&foreign).await.unwrap();
    let flipped = bench.dir.path().join("flipped.db");
    std::fs::copy(&backup, &flipped).unwrap();
    flip(&flipped, |len| len * 2 / 3);
    bench.desk.close().await.unwrap();
    let (data, key) = (data_dir(bench.dir.path()), key_file(bench.dir.path()));
    let Bench {
        dir,
        hub,
        clock,
        desk,
        session,
    } = bench;
    drop(desk);
    for file in [
        &foreign,
        &flipped,
        &data.join("desk.json"),
        &data.join("nothing"),
    ] {
        let refused = Desk::restore(&data, KeySource::File(key.clone()), file).await;
        let refused = refused.err().unwrap();
        assert!(
            matches!(refused, OpenError::BackupUnsound | OpenError::Place(_)),
            "{refused:?}"
        );
    }
    let desk = crate::support::open(dir.path(), clock.clone()).await;
    let bench = Bench {
        dir,
        hub,
        clock,
        desk,
        session,
    };
    assert_eq!(missing(&bench, &ids).await, 0);
    assert_eq!(incarnation(&bench.desk.report().await.unwrap()), 1);
    assert_eq!(quarantined(&data), 0);
}

#[tokio::test]
async fn damage_found_while_running_is_put_right_by_the_next_start() {
    let bench = Bench::new().await;
    let mut ids = record(&bench, "件", 20).await;
    bench.desk.back_up_now().await.unwrap();
    let bench = bench.reopen().await;
    flip(&data_dir(bench.dir.path()).join("suda.db"), |len| len / 2);
    bench.desk.back_up_now().await.unwrap_err();
    ids.extend(record(&bench, "后", 1).await);
    let bench = reopened(bench, |_| {}).await;
    assert_eq!(missing(&bench, &ids).await, 0);
    assert_eq!(bench.desk.start_notice(), Some(StartNotice::Restored));
    bench.desk.back_up_now().await.unwrap();
    assert_eq!(bench.desk.status().await.unwrap().safety.trouble, None);
}

#[tokio::test]
async fn the_journal_gives_way_to_receipts_and_keeps_what_has_none() {
    let bench = Bench::new().await;
    let journal = data_dir(bench.dir.path()).join("journal");
    let bytes = || -> u64 {
        let entries = std::fs::read_dir(&journal).unwrap();
        entries.map(|e| e.unwrap().metadata().unwrap().len()).sum()
    };
    let ids = record(&bench, "件", 150).await;
    assert!(bytes() > 400_000, "{}", bytes());
    bench.desk.close().await.unwrap();
    assert!(bytes() > 400_000, "nothing is receipted yet");
    let bench = reopened(bench, |_| {}).await;
    bench.desk.sync_once().await.unwrap();
    bench.desk.close().await.unwrap();
    assert!(bytes() < 1_000, "{}", bytes());
    // What comes after is kept again.
    let bench = reopened(bench, |_| {}).await;
    let more = record(&bench, "后", 2).await;
    let bench = reopened(bench, |data| {
        std::fs::remove_file(data.join("suda.db")).unwrap();
    })
    .await;
    assert_eq!(missing(&bench, &more).await, 0);
    bench.desk.sync_once().await.unwrap();
    assert_eq!(missing(&bench, &ids).await, 0);
}
