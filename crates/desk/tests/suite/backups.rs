//! Backups: taken when something changed, checked, copied to a second place,
//! and never at the cost of recording.

use std::path::{Path, PathBuf};

use sqlx::Connection as _;
use suda_desk::{BackupError, Desk, KeySource, SafetyTrouble, SecondPlaceError};

use crate::support::{Bench, behind_its_back, data_dir, form, key_file};

fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    };
    files.sort();
    files
}

/// Opens a copy as the desk's data would be opened, and counts.
async fn complaints_in(bench: &Bench, file: &Path) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(file, dir.path().join("suda.db")).unwrap();
    let identity = data_dir(bench.dir.path()).join("desk.json");
    std::fs::copy(identity, dir.path().join("desk.json")).unwrap();
    let key = KeySource::File(key_file(bench.dir.path()));
    let desk = Desk::open_reading(dir.path(), key).await.unwrap();
    assert!(desk.verify().await.unwrap().is_clean());
    desk.report().await.unwrap().complaints
}

#[tokio::test]
async fn a_backup_is_taken_every_quarter_of_an_hour_when_something_changed() {
    let bench = Bench::new().await;
    bench.record(form("一")).await;
    let first = bench.desk.back_up_if_due().await.expect("nothing yet");
    assert_eq!(complaints_in(&bench, &first.file).await, 1);
    bench.record(form("二")).await;
    assert_eq!(bench.desk.back_up_if_due().await, None, "too soon");
    bench.clock.pass(16);
    let second = bench
        .desk
        .back_up_if_due()
        .await
        .expect("something changed");
    assert_eq!(complaints_in(&bench, &second.file).await, 2);
    bench.clock.pass(16);
    assert_eq!(bench.desk.back_up_if_due().await, None, "nothing changed");
    // A keystroke counts too.
    bench.desk.draft_open(&bench.session).await.unwrap();
    let third = bench.desk.back_up_if_due().await.expect("a draft");
    assert_eq!(
        in_folder(&data_dir(bench.dir.path()).join("backups")).len(),
        { bench.desk.backups().unwrap().len() }
    );
    let safety = bench.desk.status().await.unwrap().safety;
    assert_eq!(safety.trouble, None);
    assert!(safety.last_backup_at.is_some());
    // After a restart too, what is unchanged is not copied again.
    let bench = bench.reopen().await;
    bench.clock.pass(60);
    assert_eq!(bench.desk.back_up_if_due().await, None);
    assert_eq!(
        bench.desk.backups().unwrap().last().unwrap().file,
        third.file
    );
}

#[tokio::test]
async fn names_and_contents_of_backups_tell_nothing_without_the_key() {
    let bench = Bench::new().await;
    bench.record(form("绝密内容绝密内容")).await;
    let report = bench.desk.back_up_now().await.unwrap();
    let name = report.file.file_name().unwrap().to_str().unwrap();
    assert!(name.is_ascii() && !name.contains("CQ"), "{name}");
    let bytes = std::fs::read(&report.file).unwrap();
    let plain = "绝密内容".as_bytes();
    assert!(!bytes.windows(plain.len()).any(|window| window == plain));
    assert!(!bytes.starts_with(b"SQLite format 3"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&report.file)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn each_backup_goes_to_the_second_place_and_its_absence_is_told() {
    let bench = Bench::new().await;
    let second = bench.dir.path().join("second");
    bench.desk.set_second_place(Some(second.clone())).unwrap();
    bench.record(form("一")).await;
    let here = bench.desk.back_up_now().await.unwrap();
    let there = in_folder(&in_folder(&second)[0]);
    assert_eq!(there.len(), 1);
    assert_eq!(
        std::fs::read(&there[0]).unwrap(),
        std::fs::read(&here.file).unwrap()
    );
    // The disk is pulled out: a file stands where the folder was.
    std::fs::remove_dir_all(&second).unwrap();
    std::fs::write(&second, "").unwrap();
    bench.desk.back_up_now().await.unwrap();
    let trouble = bench.desk.status().await.unwrap().safety.trouble;
    assert_eq!(trouble, Some(SafetyTrouble::SecondPlace));
    bench.desk.set_second_place(None).unwrap();
    bench.desk.back_up_now().await.unwrap();
    assert_eq!(bench.desk.status().await.unwrap().safety.trouble, None);
}

/// The first disk takes no backup: a file stands where its folder was.
fn block_own_shelf(bench: &Bench) {
    let own = data_dir(bench.dir.path()).join("backups");
    std::fs::remove_dir_all(&own).ok();
    std::fs::write(&own, "").unwrap();
}

#[tokio::test]
async fn the_second_place_gets_its_backup_when_the_first_disk_takes_none() {
    let bench = Bench::new().await;
    let second = bench.dir.path().join("second");
    std::fs::create_dir(&second).unwrap();
    let chosen = bench.desk.choose_second_place(second.to_str()).await;
    let chosen = chosen.unwrap();
    // Names of files tell seconds.
    let both = |view: &suda_desk::BackupsView| {
        [view.second_at, view.last_at].map(|at| at.expect("a backup").timestamp())
    };
    let [earlier, newest] = both(&chosen);
    assert_eq!((earlier, chosen.trouble), (newest, None));
    bench.record(form("一")).await;
    block_own_shelf(&bench);
    bench.clock.pass(16);
    assert_eq!(
        bench.desk.back_up_if_due().await,
        None,
        "the first has failed"
    );
    let there = in_folder(&in_folder(&second)[0]);
    let newest = there.last().unwrap();
    assert_eq!(complaints_in(&bench, newest).await, 1);
    let view = bench.desk.backups_view().await.unwrap();
    assert_eq!(view.trouble, Some(SafetyTrouble::BackupFailed), "and told");
    let [last_there, newest] = both(&view);
    assert_eq!(last_there, newest);
    assert!(last_there > earlier);
    // The first is tried again each minute; the second is not filled by that.
    bench.clock.pass(1);
    bench.desk.back_up_if_due().await;
    assert_eq!(in_folder(&in_folder(&second)[0]), there);

    // What is newest is put back, wherever it is.
    let Bench {
        dir, clock, desk, ..
    } = bench;
    desk.close().await.unwrap();
    drop(desk);
    let data = data_dir(dir.path());
    std::fs::remove_file(data.join("backups")).unwrap();
    std::fs::remove_dir_all(data.join("journal")).ok();
    std::fs::write(data.join("suda.db"), "x".repeat(5_000)).unwrap();
    let desk = crate::support::open(dir.path(), clock).await;
    assert_eq!(desk.report().await.unwrap().complaints, 1);
}

#[tokio::test]
async fn a_second_place_is_a_folder_that_is_there_and_not_that_of_the_data() {
    let bench = Bench::new().await;
    let absent = bench.dir.path().join("absent");
    let inside = data_dir(bench.dir.path()).join("evidence");
    std::fs::create_dir_all(&inside).unwrap();
    for folder in [absent.to_str(), Some("somewhere")] {
        let refused = bench.desk.choose_second_place(folder).await;
        assert!(
            matches!(refused, Err(SecondPlaceError::NoFolder(_))),
            "{refused:?}"
        );
    }
    let refused = bench.desk.choose_second_place(inside.to_str()).await;
    assert!(matches!(refused, Err(SecondPlaceError::OwnFolder)));
    let none = bench.desk.choose_second_place(Some("  ")).await.unwrap();
    assert_eq!((none.second_place, none.second_at), (None, None));
}

/// A page, counted from 1, that only a check of the ledger reads: within the
/// contents of the first event.
async fn page_of_the_first_event(dir: &Path) -> usize {
    let sql = "select min(pageno) from dbstat where name = 'event' and pagetype = 'overflow'";
    let mut conn = behind_its_back(dir).await;
    let page: i64 = sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    usize::try_from(page).unwrap()
}

#[tokio::test]
async fn damage_behind_what_is_read_each_day_is_found_and_no_good_backup_gives_way() {
    let bench = Bench::new().await;
    for n in 0..20 {
        bench.record(form(&format!("第{n}件").repeat(1000))).await;
    }
    let good = bench.desk.back_up_now().await.unwrap();
    let bench = bench.reopen().await;
    let database = data_dir(bench.dir.path()).join("suda.db");
    let page = page_of_the_first_event(bench.dir.path()).await;
    let mut bytes = std::fs::read(&database).unwrap();
    bytes[page * 4096 - 2048] ^= 1;
    std::fs::write(&database, bytes).unwrap();
    bench.record(form("还在记录")).await;
    let refused = bench.desk.back_up_now().await;
    assert!(matches!(refused, Err(BackupError::Damaged)), "{refused:?}");
    let kept = bench.desk.backups().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].file, good.file);
    bench.clock.pass(16);
    assert_eq!(bench.desk.back_up_if_due().await, None);
    let trouble = bench.desk.status().await.unwrap().safety.trouble;
    assert_eq!(trouble, Some(SafetyTrouble::Damaged));
}

#[tokio::test]
async fn saving_goes_on_while_a_backup_is_taken() {
    let bench = Bench::new().await;
    for n in 0..30 {
        bench.record(form(&format!("第{n}件").repeat(100))).await;
    }
    let backups = async {
        let mut last = None;
        for _ in 0..4 {
            last = Some(bench.desk.back_up_now().await.unwrap());
        }
        last.unwrap()
    };
    let saves = async {
        for n in 0..30 {
            bench.record(form(&format!("同时{n}"))).await;
        }
    };
    let (last, ()) = tokio::join!(backups, saves);
    assert!((30..=60).contains(&complaints_in(&bench, &last.file).await));
    let report = bench.desk.back_up_now().await.unwrap();
    assert_eq!(complaints_in(&bench, &report.file).await, 60);
}
