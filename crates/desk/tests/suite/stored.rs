//! Data directories that earlier versions left behind, kept as files: copied
//! before they are brought up to date, and in the end the hub has every event
//! as it was written, once.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use suda_domain::DeviceId;
use suda_sync::{Hash, SealedEvent, SecretKey};
use uuid::Uuid;

use crate::support::{
    Bench, HandClock, Hub, LOGIN, PASSWORD, behind_its_back, data_dir, form, key_file, open,
};

/// What the kept desk was enrolled as.
const DEVICE: DeviceId = DeviceId(Uuid::from_u128(1));
const DEVICE_SEED: [u8; 32] = [8; 32];
/// It began anew from what the enrolment gave.
const INCARNATION: u32 = 2;

fn kept() -> Vec<(usize, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored");
    let dirs = std::fs::read_dir(root).unwrap();
    let named = dirs.map(|dir| {
        let dir = dir.unwrap().path();
        let name = dir.file_name().unwrap().to_str().unwrap();
        (name.strip_prefix("schema").unwrap().parse().unwrap(), dir)
    });
    named.collect()
}

/// A copy of the kept directory to work in, whose hub is this one.
async fn copied(from: &Path, hub: &Hub) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(data_dir(dir.path())).unwrap();
    for file in ["suda.db", "desk.json"] {
        let to = data_dir(dir.path()).join(file);
        std::fs::copy(from.join("data").join(file), to).unwrap();
    }
    std::fs::copy(from.join("key"), key_file(dir.path())).unwrap();
    let mut conn = behind_its_back(dir.path()).await;
    sqlx::query("update device set hub_url = ?")
        .bind(&hub.url)
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
    dir
}

async fn schema(conn: &mut SqliteConnection) -> i64 {
    let version = sqlx::query_scalar("pragma user_version");
    version.fetch_one(conn).await.unwrap()
}

/// An event: own, lane, number, body, hash before and hash.
type EventRow = (bool, i64, i64, String, Vec<u8>, Vec<u8>);

/// Every event: whether it is the desk's own, its lane and number, and the
/// sealed event.
async fn events(conn: &mut SqliteConnection) -> Vec<(bool, i64, i64, SealedEvent)> {
    let rows: Vec<EventRow> =
        sqlx::query_as("select own, lane, n, body, prev, hash from event order by seq")
            .fetch_all(conn)
            .await
            .unwrap();
    let hash = |bytes: Vec<u8>| Hash(bytes.try_into().unwrap());
    let sealed = rows.into_iter().map(|(own, lane, n, body, prev, of)| {
        let sealed = SealedEvent::from_parts(body, hash(prev), hash(of)).unwrap();
        (own, lane, n, sealed)
    });
    sealed.collect()
}

fn hashes<'e>(events: impl IntoIterator<Item = &'e SealedEvent>) -> Vec<Hash> {
    let mut hashes: Vec<Hash> = events.into_iter().map(|event| event.hash).collect();
    hashes.sort_by_key(|hash| hash.0);
    hashes
}

#[tokio::test]
async fn data_of_versions_up_to_three_back_are_copied_migrated_and_synced_without_loss() {
    let mut seen = Vec::new();
    for (version, from) in kept() {
        let hub = Hub::start().await;
        let dir = copied(&from, &hub).await;
        let mut conn = behind_its_back(dir.path()).await;
        assert_eq!(schema(&mut conn).await, version as i64);
        let before = events(&mut conn).await;
        let acked: Vec<(i64, i64)> = sqlx::query_as("select lane, acked_n from lane_ack")
            .fetch_all(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
        {
            // The hub has what it has receipted, and has queued the first.
            let mut state = hub.state.lock().unwrap();
            state.device_key = Some(SecretKey::from_seed(DEVICE_SEED).public());
            let mut marks = [0; 4];
            for (lane, n) in &acked {
                marks[usize::try_from(*lane).unwrap()] = u64::try_from(*n).unwrap();
            }
            state.later.insert(INCARNATION, marks);
            let there = before.iter().filter(|(own, lane, n, _)| {
                !own || acked.iter().any(|(of, upto)| of == lane && n <= upto)
            });
            state.log = there.map(|(.., event)| event.clone()).collect();
            assert_eq!(state.log.len(), 4, "three of its own, and the hub's");
        }
        let all = hashes(before.iter().map(|(.., event)| event));

        let clock = HandClock::new();
        let desk = open(dir.path(), clock.clone()).await;
        let mut conn = behind_its_back(dir.path()).await;
        let present = schema(&mut conn).await;
        assert!(present > version as i64);
        assert_eq!(hashes(events(&mut conn).await.iter().map(|(.., e)| e)), all);
        conn.close().await.unwrap();
        // The copy that was made first is of the old version, and whole.
        let copies = desk.backups().unwrap();
        let [copy] = copies.as_slice() else {
            panic!("{version}: {copies:?}")
        };
        assert!(copy.before_migration);
        let key = std::fs::read_to_string(key_file(dir.path())).unwrap();
        let mut conn = SqliteConnectOptions::new()
            .filename(&copy.file)
            .pragma("key", format!("\"x'{}'\"", key.trim()))
            .read_only(true)
            .connect()
            .await
            .unwrap();
        assert_eq!(schema(&mut conn).await, version as i64);
        assert_eq!(hashes(events(&mut conn).await.iter().map(|(.., e)| e)), all);
        conn.close().await.unwrap();

        let session = desk.sign_in(LOGIN, PASSWORD).await.unwrap();
        let sent = desk.sync_once().await.unwrap();
        assert!(
            sent.sent >= 6 && sent.quarantined == 0,
            "{version}: {sent:?}"
        );
        let books = || hashes(&hub.state.lock().unwrap().log);
        assert_eq!(books(), all, "{version}: each event as it was, once");
        assert_eq!(desk.status().await.unwrap().unsent, 0);
        assert!(desk.verify().await.unwrap().is_clean(), "{version}");
        // And the work goes on.
        let bench = Bench {
            dir,
            hub: hub.clone(),
            clock,
            desk,
            session,
        };
        let id = bench.record(form("升级之后")).await;
        bench.desk.sync_once().await.unwrap();
        let log = hub.state.lock().unwrap().log.clone();
        let new: Vec<_> = log.iter().map(|event| event.open().unwrap()).collect();
        assert!(new.iter().any(|event| event.complaint == id));
        assert!(
            new.iter()
                .filter(|e| e.complaint == id)
                .all(|e| e.key.device == DEVICE)
        );
        seen.push((version, usize::try_from(present).unwrap()));
    }
    assert!(
        seen.len() >= 3 && seen.iter().any(|(of, present)| of + 3 <= *present),
        "{seen:?}"
    );
}
