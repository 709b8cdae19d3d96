//! Data of earlier versions: copied before they are brought up to date, and
//! whole afterwards. Some are kept as files in `tests/stored`, made here and
//! opened by `tests/suite/stored.rs`.

use std::path::Path;
use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use suda_domain::staff::StaffRecord;
use suda_domain::{
    Actor, BranchCode, ComplaintId, Complexity, DeviceId, EventKey, Fact, Grade, Intake, Lane,
    LedgerEvent, Policy, Role, StaffId, Stamp, State,
};
use suda_sync::message::{LogEntry, Placed};
use suda_sync::{Directory, Hash, Page, SealedEvent, SecretKey};
use uuid::Uuid;

use super::seed;
use crate::clock::SystemClock;
use crate::desk::{Desk, Enrolled, OpenError};
use crate::key::{DatabaseKey, KeySource};
use crate::place::{IdentityFile, Place};
use crate::session::Session;
use crate::store::barrier::Reader;
use crate::store::directory::DeviceRow;
use crate::store::{MIGRATIONS, complaints, copy};
use crate::view::{Assessment, Scope};

/// Nobody's.
const PASSWORD: &str = "counter-7";

/// Every version there has been before this one.
fn earlier() -> std::ops::Range<usize> {
    1..MIGRATIONS.len()
}

fn branch() -> BranchCode {
    "CQ0123".parse().unwrap()
}

fn directory() -> Directory {
    let hash = Argon2::default().hash_password(PASSWORD.as_bytes());
    let hash = hash.unwrap();
    let rules: serde_json::Value = serde_json::from_str(suda_judge::TELECOM).unwrap();
    Directory {
        version: 1,
        branch: branch(),
        branch_name: "渝北营业厅".into(),
        organisation: "山城电信".into(),
        status_url: None,
        categories: suda_judge::RuleSet::from_value(&rules).unwrap().tree,
        rules,
        rules_2: None,
        guidance: Vec::new(),
        policy: Policy::default(),
        time: None,
        model: None,
        handoffs: None,
        known_matters: Vec::new(),
        staff: vec![StaffRecord {
            id: StaffId(Uuid::nil()),
            login: "wang".into(),
            name: "王芳".into(),
            role: Role::Clerk,
            branch: Some(branch()),
            password_hash: hash.to_string(),
            active: true,
            superior: None,
        }],
    }
}

fn enrolled() -> Enrolled {
    let device = DeviceRow {
        device: DeviceId(Uuid::from_u128(1)),
        incarnation: 1,
        desk_letter: "A".into(),
        hub_url: "http://127.0.0.1:9".into(),
        hub_key: SecretKey::from_seed([9; 32]).public(),
        secret: SecretKey::from_seed([8; 32]),
    };
    Enrolled::new(device, directory()).unwrap()
}

struct Room {
    dir: tempfile::TempDir,
    key: DatabaseKey,
}

impl Room {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = KeySource::File(dir.path().join("key"));
        let key = key.load_or_create(Uuid::nil()).await.unwrap();
        Self { dir, key }
    }

    fn place(&self, name: &str) -> Place {
        let place = Place::new(&self.dir.path().join(name));
        place.create().unwrap();
        let mut file = IdentityFile::new(Uuid::from_u128(3), self.key.fingerprint());
        file.device = Some(DeviceId(Uuid::from_u128(1)));
        file.incarnation = Some(1);
        place.save_identity(&file).unwrap();
        place
    }

    async fn open(&self, place: &Place) -> Result<Desk, OpenError> {
        let source = KeySource::File(self.dir.path().join("key"));
        Desk::open_at(place.dir(), source, Arc::new(SystemClock::default())).await
    }

    fn options(&self, file: &Path) -> sqlx::sqlite::SqliteConnectOptions {
        sqlx::sqlite::SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .foreign_keys(false)
            .pragma("key", self.key.pragma())
    }

    async fn run(&self, file: &Path, sql: String) {
        let mut conn = self.options(file).connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
    }
}

async fn record(desk: &Desk, session: &Session, text: &str) -> ComplaintId {
    let draft = desk.draft_open(session).await.unwrap();
    let intake = Intake {
        name: "张三".into(),
        phone: "13812345678".into(),
        description: text.into(),
        remedy_sought: "尽快解决".into(),
        category: suda_judge::RuleSet::parse(suda_judge::TELECOM)
            .unwrap()
            .fallback_category,
        ..Intake::default()
    };
    let assessment = Assessment {
        grade: Grade::Two,
        complexity: Complexity::Complex,
        override_reason: Some("按流程".into()),
        about: None,
    };
    let done = desk
        .record(session, draft.id, intake, assessment, None)
        .await;
    done.unwrap().id
}

/// A desk with three complaints, closed, and the file they are in.
async fn recorded(room: &Room) -> std::path::PathBuf {
    let place = room.place("present");
    seed::write(&place, &room.key, &enrolled()).unwrap();
    let desk = room.open(&place).await.unwrap();
    let session = desk.session_of(None).unwrap();
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(record(&desk, &session, &format!("第{n}件")).await);
    }
    // What the hub has done with the first, after it had all of it.
    desk.save_page(&queued(ids[0]), None).await.unwrap();
    desk.close().await.unwrap();
    let all_receipted = "update lane_ack set acked_n = (select count(*) from event e \
                         where e.own and e.lane = lane_ack.lane)";
    room.run(&place.database(), all_receipted.to_owned()).await;
    place.database()
}

fn queued(complaint: ComplaintId) -> Page {
    let event = LedgerEvent {
        key: EventKey {
            device: DeviceId(Uuid::from_u128(99)),
            incarnation: 1,
            lane: Lane::Ordinary,
            n: 1,
        },
        complaint,
        owner_no: 1,
        at: Stamp {
            wall: chrono::Utc::now(),
            mono_ms: 0,
            hub_offset_ms: Some(0),
            offset_age_s: Some(0),
        },
        actor: Actor::system(None),
        fact: Fact::Queued,
        origin: None,
    };
    Page {
        epoch: "e1".into(),
        entries: vec![LogEntry {
            seq: 4,
            event: SealedEvent::seal(&event, Hash::START).unwrap(),
        }],
        cursor: 4,
        more: false,
        directory: None,
        set_aside: None,
        // The desk's own events of that complaint, before the hub's.
        placed: Placed::runs([
            (Lane::Urgent, 1, 1),
            (Lane::Ordinary, 1, 2),
            (Lane::Ordinary, 2, 3),
        ]),
        now: chrono::Utc::now(),
    }
}

/// The same contents as the program of that version would have kept them: in
/// its own tables, without what later versions have added. The search index is
/// made anew.
async fn stored_by_version(room: &Room, schema: usize, present: &Path) -> Place {
    let place = room.place(&format!("schema{schema}"));
    let mut conn = room.options(&place.database()).connect().await.unwrap();
    let mut sql = String::from("pragma journal_mode = wal;\n");
    for migration in &MIGRATIONS[..schema] {
        sql.push_str(migration);
    }
    sql.push_str(&format!(
        "attach '{}' as present key {};\n",
        present.display(),
        room.key.pragma()
    ));
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut conn)
        .await
        .unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select name from main.sqlite_master where type = 'table' \
         and name not like 'sqlite%' and name not like 'search%'",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let mut sql = String::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar(
            "select name from pragma_table_info(?1, 'main') where name in \
             (select name from pragma_table_info(?1, 'present'))",
        )
        .bind(&table)
        .fetch_all(&mut conn)
        .await
        .unwrap();
        let columns = columns.join(", ");
        sql.push_str(&format!(
            "delete from main.{table}; \
             insert into main.{table} ({columns}) select {columns} from present.{table};\n"
        ));
    }
    sql.push_str(&format!("pragma main.user_version = {schema};\n"));
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
    place
}

/// Complaints that the hub is known to have put into the queue.
async fn waiting_for_experts(desk: &Desk) -> usize {
    let mut conn = desk.inner.store.read().await.unwrap();
    let found = complaints::page(&mut conn, Scope::WithExperts, None, 10, &Reader::program()).await;
    let queued = |stored: &complaints::Stored| stored.complaint.state == State::Queued;
    found.unwrap().iter().filter(|one| queued(one)).count()
}

#[tokio::test]
async fn data_of_each_earlier_version_are_copied_then_migrated_and_whole() {
    let room = Room::new().await;
    let present = recorded(&room).await;
    for schema in earlier() {
        let place = stored_by_version(&room, schema, &present).await;
        let desk = room.open(&place).await.unwrap();
        let report = desk.verify().await.unwrap();
        assert!(report.is_clean(), "{schema}: {report:?}");
        assert_eq!((report.complaints, report.events), (3, 10), "{schema}");
        assert_eq!(waiting_for_experts(&desk).await, 1, "{schema}");
        let kept = desk.backups().unwrap();
        assert_eq!(kept.len(), 1, "{schema}");
        assert!(kept[0].before_migration);
        let name = kept[0].file.file_name().unwrap().to_str().unwrap();
        assert!(name.ends_with(&format!("-schema{schema}.db")), "{name}");
        let copied = copy::examine(&kept[0].file, &room.key).await.unwrap();
        assert_eq!((copied.schema, copied.mark.events()), (schema, 10));
        // It stays until a later backup has passed its check.
        let session = desk.session_of(None).unwrap();
        record(&desk, &session, "新").await;
        desk.back_up_now().await.unwrap();
        let kept = desk.backups().unwrap();
        assert_eq!(kept.len(), 1, "{schema}");
        assert!(!kept[0].before_migration);
        desk.close().await.unwrap();
        drop(desk);
        let again = room.open(&place).await.unwrap();
        assert_eq!(again.backups().unwrap().len(), 1, "nothing is due any more");
        assert_eq!(again.report().await.unwrap().complaints, 4);
    }
}

#[tokio::test]
async fn where_no_copy_can_be_made_nothing_is_migrated() {
    let room = Room::new().await;
    let present = recorded(&room).await;
    let place = stored_by_version(&room, 3, &present).await;
    // A file where the folder of the backups belongs.
    std::fs::write(place.shelf().dir(), "").unwrap();
    let refused = room.open(&place).await.err().unwrap();
    assert!(matches!(refused, OpenError::NoCopy(_)), "{refused:?}");
    let found = copy::examine(&place.database(), &room.key).await.unwrap();
    assert_eq!((found.schema, found.mark.events()), (3, 10));
    std::fs::remove_file(place.shelf().dir()).unwrap();
    assert!(room.open(&place).await.is_ok());
}

#[tokio::test]
async fn a_backup_of_an_earlier_version_takes_a_damaged_files_place() {
    let room = Room::new().await;
    let present = recorded(&room).await;
    let place = stored_by_version(&room, 2, &present).await;
    let desk = room.open(&place).await.unwrap();
    desk.close().await.unwrap();
    drop(desk);
    std::fs::write(place.database(), "x".repeat(5_000)).unwrap();
    let desk = room.open(&place).await.unwrap();
    assert_eq!(desk.report().await.unwrap().complaints, 3);
    assert!(desk.verify().await.unwrap().is_clean());
}

/// Where data of earlier versions are kept.
fn kept() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored")
}

/// Data directories as versions up to three back left them, with a part that
/// the hub has receipted and a part that waits. With `SUDA_WRITE_STORED` set
/// the missing ones are made; they are not made again when the program
/// changes, as they stand for what is out there.
#[tokio::test]
async fn each_kept_database_is_of_the_version_it_is_named_after() {
    let versions = || MIGRATIONS.len() - 3..MIGRATIONS.len();
    if std::env::var_os("SUDA_WRITE_STORED").is_some() {
        for schema in versions().filter(|schema| !kept().join(format!("schema{schema}")).exists()) {
            write_kept(schema).await;
        }
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(kept()).unwrap() {
        let dir = entry.unwrap().path();
        let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
        let schema: usize = name.strip_prefix("schema").unwrap().parse().unwrap();
        let key = KeySource::File(dir.join("key"));
        let key = key.load(Uuid::from_u128(3)).await.unwrap();
        let there = tempfile::tempdir().unwrap();
        let file = there.path().join("suda.db");
        std::fs::copy(dir.join("data/suda.db"), &file).unwrap();
        let contents = copy::examine(&file, &key).await.unwrap();
        assert_eq!((contents.schema, contents.mark.events()), (schema, 10));
        found.push(schema);
    }
    assert!(found.len() >= 3, "{found:?}");
    assert!(found.iter().any(|schema| schema + 3 <= MIGRATIONS.len()));
}

async fn write_kept(schema: usize) {
    let room = Room::new().await;
    let present = recorded(&room).await;
    // The first complaint is at the hub, the others have not been sent.
    let receipted = "update lane_ack set acked_n = case lane when 0 then 1 when 1 then 2 else 0 end; \
                     update link set contact = null";
    room.run(&present, receipted.to_owned()).await;
    let place = stored_by_version(&room, schema, &present).await;
    let whole = "pragma journal_mode = delete; vacuum;";
    room.run(&place.database(), whole.to_owned()).await;
    let to = kept().join(format!("schema{schema}"));
    std::fs::create_dir_all(to.join("data")).unwrap();
    for file in ["suda.db", "desk.json"] {
        std::fs::copy(place.dir().join(file), to.join("data").join(file)).unwrap();
    }
    std::fs::copy(room.dir.path().join("key"), to.join("key")).unwrap();
}
