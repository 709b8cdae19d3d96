//! Data of earlier versions: copied before they are brought up to date, and
//! whole afterwards.

use std::path::Path;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use suda_domain::staff::StaffRecord;
use suda_domain::{
    Actor, BranchCode, ComplaintId, Complexity, DeviceId, EventKey, Fact, Grade, Intake, Lane,
    LedgerEvent, Policy, Role, StaffId, Stamp, State,
};
use suda_sync::message::LogEntry;
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
use crate::store::{complaints, copy};
use crate::view::{Assessment, Scope};

const SCHEMAS: [usize; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const FIRST: [&str; 8] = [
    include_str!("../store/migrations/0001_base.sql"),
    include_str!("../store/migrations/0002_import.sql"),
    include_str!("../store/migrations/0003_search_upto.sql"),
    include_str!("../store/migrations/0004_one_index.sql"),
    include_str!("../store/migrations/0005_set_aside.sql"),
    include_str!("../store/migrations/0006_trusted_time.sql"),
    include_str!("../store/migrations/0007_incarnation.sql"),
    include_str!("../store/migrations/0008_hub_order.sql"),
];
/// The tables that every version has, in an order that keeps their references.
const TABLES: [&str; 8] = [
    "device",
    "link",
    "event",
    "lane_ack",
    "complaint",
    "reminder",
    "draft",
    "directory",
];

fn branch() -> BranchCode {
    "CQ0123".parse().unwrap()
}

fn directory() -> Directory {
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
        known_matters: Vec::new(),
        staff: vec![StaffRecord {
            id: StaffId(Uuid::nil()),
            login: "wang".into(),
            name: "王芳".into(),
            role: Role::Clerk,
            branch: Some(branch()),
            password_hash: String::new(),
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

    async fn run(&self, file: &Path, sql: String) {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .foreign_keys(false)
            .pragma("key", self.key.pragma());
        let mut conn = options.connect().await.unwrap();
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
            seq: 5,
            event: SealedEvent::seal(&event, Hash::START).unwrap(),
        }],
        cursor: 5,
        more: false,
        directory: None,
        set_aside: None,
        placed: Vec::new(),
        now: chrono::Utc::now(),
    }
}

/// The same contents as the program of that version would have kept them.
async fn stored_by_version(room: &Room, schema: usize, present: &Path) -> Place {
    let place = room.place(&format!("schema{schema}"));
    let mut sql = String::from("pragma journal_mode = wal;\n");
    for migration in &FIRST[..schema] {
        sql.push_str(migration);
    }
    sql.push_str(&format!(
        "attach '{}' as present key {};\ndelete from link; delete from lane_ack;\n",
        present.display(),
        room.key.pragma()
    ));
    for table in TABLES {
        // What a later version has added stands behind these columns.
        let columns = match table {
            "link" => "one, epoch, cursor, hub_offset_ms, offset_at",
            "draft" => "id, staff, opened_at, changed_at, body",
            "event" => {
                "seq, device, incarnation, lane, n, complaint, at, body, prev, hash, own, hub_seq"
            }
            "complaint" => "row, id, reference, state, scope, rank, prompt_at, mine, body",
            _ => "",
        };
        let (into, from) = match columns {
            "" => (String::new(), "*"),
            some => (format!(" ({some})"), some),
        };
        sql.push_str(&format!(
            "insert into main.{table}{into} select {from} from present.{table};\n"
        ));
    }
    sql.push_str(&format!("pragma main.user_version = {schema};\n"));
    room.run(&place.database(), sql).await;
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
    for schema in SCHEMAS {
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
