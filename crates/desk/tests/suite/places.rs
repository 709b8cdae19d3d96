//! Data directories and keys that are wrong, damaged, taken or not to be written.

use std::path::Path;

use suda_desk::{Desk, KeyError, KeySource, OpenError, PlaceError};

use crate::support::{Bench, data_dir, form, key_file};

async fn reason(dir: &Path, key: &Path) -> OpenError {
    let opened = Desk::open(dir, KeySource::File(key.to_owned())).await;
    opened.err().expect("must not open")
}

#[tokio::test]
async fn a_second_instance_is_told_so_and_looking_is_allowed() {
    let bench = Bench::new().await;
    bench.record(form("一")).await;
    let (data, key) = (data_dir(bench.dir.path()), key_file(bench.dir.path()));
    let refused = reason(&data, &key).await;
    assert!(
        matches!(refused, OpenError::Place(PlaceError::InUse(_))),
        "{refused:?}"
    );
    let looking = Desk::open_reading(&data, KeySource::File(key))
        .await
        .unwrap();
    assert_eq!(looking.report().await.unwrap().complaints, 1);
    assert!(looking.verify().await.unwrap().is_clean());
    // Who only looks cannot write.
    assert!(looking.draft_open(&bench.session).await.is_err());
}

#[tokio::test]
async fn a_wrong_key_a_missing_key_and_a_damaged_file_are_told_apart() {
    let bench = Bench::new().await;
    bench.record(form("一")).await;
    let (data, key) = (data_dir(bench.dir.path()), key_file(bench.dir.path()));
    bench.desk.close().await.unwrap();
    let dir = bench.dir;
    drop(bench.desk);

    let other = dir.path().join("other");
    std::fs::write(&other, "ab".repeat(32)).unwrap();
    assert!(matches!(reason(&data, &other).await, OpenError::WrongKey));
    let missing = dir.path().join("missing");
    assert!(matches!(
        reason(&data, &missing).await,
        OpenError::Key(KeyError::FileMissing(_))
    ));
    assert!(
        !missing.exists(),
        "a key for existing data is never made anew"
    );

    // Without the file beside the database a wrong key is still told.
    let identity = data.join("desk.json");
    let kept = std::fs::read(&identity).unwrap();
    std::fs::remove_file(&identity).unwrap();
    assert!(matches!(reason(&data, &other).await, OpenError::WrongKey));
    std::fs::write(&identity, kept).unwrap();

    let database = data.join("suda.db");
    let mut bytes = std::fs::read(&database).unwrap();
    for byte in bytes.iter_mut().take(4096) {
        *byte ^= 0x55;
    }
    std::fs::write(&database, &bytes).unwrap();
    // With nothing left to put it back from.
    std::fs::remove_file(data.join("enrolment.sealed")).unwrap();
    assert!(matches!(reason(&data, &key).await, OpenError::Damaged));
    assert_eq!(std::fs::read(&database).unwrap(), bytes, "left as it is");
    std::fs::remove_file(&database).unwrap();
    assert!(matches!(
        reason(&data, &key).await,
        OpenError::DatabaseMissing
    ));
    let changed = std::fs::read_to_string(&identity)
        .unwrap()
        .replace("1", "7");
    for damaged in ["{", changed.as_str()] {
        std::fs::write(&identity, damaged).unwrap();
        let from_copy = reason(&data, &key).await;
        assert!(
            matches!(from_copy, OpenError::DatabaseMissing),
            "{from_copy:?}"
        );
    }
    for name in ["desk.json", "desk.json.copy"] {
        std::fs::write(data.join(name), "{").unwrap();
    }
    assert!(matches!(
        reason(&data, &key).await,
        OpenError::Place(PlaceError::Damaged(_))
    ));
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    let closed = dir.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    let mut permissions = std::fs::metadata(&closed).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&closed, permissions).unwrap();
    // Permissions do not bind an administrator; the system's own folder does.
    let bound = std::fs::write(closed.join("probe"), "").is_err();
    let data = if bound {
        closed
    } else {
        "/sys/suda-desk".into()
    };
    let refused = reason(&data, &key).await;
    assert!(
        matches!(refused, OpenError::Place(PlaceError::ReadOnly(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_data_are_closed_to_others_and_unreadable_without_the_key() {
    let bench = Bench::new().await;
    bench.record(form("绝密内容绝密内容")).await;
    bench.desk.close().await.unwrap();
    let data = data_dir(bench.dir.path());
    let mut folders = vec![data.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            for plain in ["绝密内容", "13812345678"] {
                let plain = plain.as_bytes();
                assert!(!bytes.windows(plain.len()).any(|window| window == plain));
            }
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&data).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
}

#[tokio::test]
async fn looking_at_nothing_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let key = KeySource::File(key_file(dir.path()));
    let looked = Desk::open_reading(&data_dir(dir.path()), key).await;
    assert!(matches!(looked.err(), Some(OpenError::Empty)));
    assert!(!data_dir(dir.path()).exists());
}
