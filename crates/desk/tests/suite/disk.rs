//! A file system that is really full: a small one in memory, mounted over the
//! data directory. Only root may mount; who is not root is told so.

use std::path::{Path, PathBuf};
use std::process::Command;

use suda_desk::view::Scope;
use suda_desk::{DraftError, RecordError, StoreError};

use crate::support::{Bench, CODE, HandClock, Hub, LOGIN, PASSWORD, data_dir, form, open};

/// A file system of its own, gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=700"),
                "suda",
            ])
            .arg(at)
            .output()
            .is_ok_and(|done| done.status.success());
        mounted.then(|| Self(at.to_owned()))
    }

    fn resize(&self, size: &str) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,size={size}")])
            .arg(&self.0)
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

#[tokio::test]
async fn on_a_full_disk_nothing_told_is_lost_and_work_goes_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&data_dir(dir.path()), "3m") else {
        eprintln!("not tried: only root may mount the small file system this test fills");
        return;
    };
    let hub = Hub::start().await;
    let clock = HandClock::new();
    let desk = open(dir.path(), clock.clone()).await;
    desk.enrol(&hub.url, CODE).await.unwrap();
    let session = desk.sign_in(LOGIN, PASSWORD).await.unwrap();
    let bench = Bench {
        dir,
        hub,
        clock,
        desk,
        session,
    };
    let long = form(&"断网三天，多次报修无人处理。".repeat(60));
    let mut recorded = Vec::new();
    let draft = loop {
        assert!(recorded.len() < 5_000, "the disk never became full");
        let draft = match bench.desk.draft_open(&bench.session).await {
            Ok(draft) => draft,
            Err(DraftError::Store(StoreError::DiskFull)) => break None,
            Err(other) => panic!("{other:?}"),
        };
        let assessment = bench.suggested(&long).await;
        let done = bench
            .desk
            .record(&bench.session, draft.id, long.clone(), assessment, None)
            .await;
        match done {
            Ok(receipt) => recorded.push(receipt.id),
            Err(RecordError::Store(StoreError::DiskFull)) => break Some(draft.id),
            Err(other) => panic!("{other:?}"),
        }
    };
    assert!(recorded.len() > 20, "{} recorded", recorded.len());

    // Reading goes on, and the sync may try what it likes.
    let backlog = bench
        .desk
        .cases(&bench.session, Scope::All, None, 1)
        .await
        .unwrap();
    assert_eq!(backlog.total as usize, recorded.len());
    bench.desk.sync_once().await.ok();

    disk.resize("32m");
    let draft = match draft {
        Some(id) => id,
        None => bench.desk.draft_open(&bench.session).await.unwrap().id,
    };
    let assessment = bench.suggested(&long).await;
    let receipt = bench
        .desk
        .record(&bench.session, draft, long, assessment, None)
        .await
        .unwrap();
    recorded.push(receipt.id);

    let bench = bench.reopen().await;
    for id in &recorded {
        assert!(
            bench.desk.case(&bench.session, *id).await.is_ok(),
            "{id} was told and is gone"
        );
    }
    assert!(bench.desk.verify().await.unwrap().is_clean());
    bench.desk.sync_once().await.unwrap();
    assert_eq!(bench.desk.report().await.unwrap().unsent.total(), 0);
}
