//! What the hub takes in: signed batches of many desks, checked, judged and
//! stored, on either store, beside a plain insert of the same rows into the
//! same kind of database.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use futures::{StreamExt as _, stream};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};
use suda_domain::fact::Source;
use suda_domain::staff::StaffRecord;
use suda_domain::{
    Actor, BranchCode, ComplaintId, DeviceId, EventKey, Fact, Lane, LedgerEvent, Policy,
    ReferenceNumber, Role, StaffId, Stamp,
};
use suda_hub::ingest::{Arrival, Batch};
use suda_hub::secret;
use suda_hub::store::postgres::{self, PostgresStore};
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Beginning, Branch, Device, EnrolCode, Identity, Store};
use suda_sync::message::VERSION;
use suda_sync::{Ask, Hash, Request, SealedEvent, SecretKey, Signed, Verdict};
use suda_test_postgres::PrivatePostgres;
use suda_tests::Failure;
use uuid::Uuid;

use crate::desk::intake;
use crate::line::Goal::AtLeast;
use crate::line::{print, print_against};

const DESKS: usize = 60;
const BATCHES: usize = 20;
pub const BATCH: usize = 100;
/// As after an outage: all desks at once, each with its next batch when it has
/// the receipt of the last.
pub const AT_ONCE: usize = DESKS;
/// Of the bound to PostgreSQL; more do not make it faster.
const CONNECTIONS: u32 = 16;

pub fn said(error: impl std::fmt::Display) -> Failure {
    Failure::Said(error.to_string())
}

/// Events a second the hub is to take, and how much of the bound.
const PER_S: f64 = 15_000.0;
const OVER_RAW: f64 = 0.4;

pub async fn ingest() -> Result<(), Failure> {
    let dir = tempfile::tempdir().map_err(Failure::io("a folder"))?;
    let file = dir.path().join("hub.db");
    let store = SqliteStore::open(dir.path(), true).await.map_err(said)?;
    let store: Arc<dyn Store> = Arc::new(store);
    let events = take_in("ingest_sqlite", &store).await?;
    store.close().await;
    drop(store);
    let rows = sqlite_rows(&file).await?;
    let raw = raw_sqlite(&dir.path().join("raw.db"), &rows).await?;
    side_by_side("ingest_sqlite", events, raw, rows.len());
    let all = raw_sqlite_all(&dir.path().join("all.db"), &file, rows.len()).await?;
    beside_all("ingest_sqlite", events, all, rows.len());

    let server = PrivatePostgres::start().map_err(said)?;
    let url = server.database("ingest").map_err(said)?;
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&url).await.map_err(said)?);
    let events = take_in("ingest_postgresql", &store).await?;
    store.close().await;
    let raw = raw_postgres(&url, &rows).await?;
    side_by_side("ingest_postgresql", events, raw, rows.len());
    Ok(())
}

fn side_by_side(bench: &str, events: f64, raw: f64, n: usize) {
    print_against((bench, "events"), events, "1/s", n, AtLeast(PER_S));
    print(bench, "raw_insert_of_the_same_log_rows", raw, "1/s", n);
    print_against(
        (bench, "over_raw"),
        events / raw,
        "ratio",
        n,
        AtLeast(OVER_RAW),
    );
}

/// Besides the log's lines the hub keeps a row for each complaint.
fn beside_all(bench: &str, events: f64, raw: f64, n: usize) {
    print(bench, "raw_insert_of_complaints_besides", raw, "1/s", n);
    print(bench, "over_raw_with_complaints", events / raw, "ratio", n);
}

/// Events a second, from the bytes of the request to the verdicts.
async fn take_in(bench: &str, store: &Arc<dyn Store>) -> Result<f64, Failure> {
    let desks = city(store.as_ref()).await?;
    let mut prepared = Vec::new();
    for mut desk in desks {
        prepared.push((desk.device.clone(), desk.requests(BATCHES)?));
    }
    let (taken, took) = send(store, prepared).await?;
    if taken != DESKS * BATCHES * BATCH {
        return Err(said(format!("{bench}: {taken} events taken")));
    }
    let verified = store.verify().await.map_err(said)?;
    match verified.fault {
        None => Ok(rate(taken, took)),
        Some(fault) => Err(said(format!("{}: {}", fault.row, fault.reason))),
    }
}

/// Has everything taken in, and gives how many were applied and how long it took.
pub async fn send(
    store: &Arc<dyn Store>,
    prepared: Vec<(Device, Vec<Vec<u8>>)>,
) -> Result<(usize, Duration), Failure> {
    let begin = Instant::now();
    let results: Vec<Result<usize, Failure>> = stream::iter(prepared)
        .map(|(device, requests)| {
            let store = Arc::clone(store);
            // A desk sends its next batch when it has the receipt of the last.
            let sent = tokio::spawn(async move {
                let mut taken = 0;
                for body in requests {
                    taken += one(store.as_ref(), &device, &body).await?;
                }
                Ok(taken)
            });
            async move { sent.await.map_err(said)? }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let took = begin.elapsed();
    let taken: Result<Vec<usize>, Failure> = results.into_iter().collect();
    Ok((taken?.into_iter().sum(), took))
}

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// What the hub's door does with a request, without HTTP.
async fn one(store: &dyn Store, device: &Device, body: &[u8]) -> Result<usize, Failure> {
    let signed: Signed = serde_json::from_slice(body)?;
    let request: Request = signed.peek().map_err(said)?;
    let known = store.device(request.device).await.map_err(said)?;
    let is_genuine = known.is_some_and(|known| signed.is_from(&known.key));
    let Ask::Batch {
        lane,
        first_n,
        events,
        ..
    } = request.ask
    else {
        return Err(said("not a batch"));
    };
    if !is_genuine {
        return Err(said("the signature does not fit"));
    }
    let ingested = store
        .ingest(Batch {
            device: device.id,
            incarnation: device.incarnation,
            branch: device.branch.clone(),
            lane,
            first_n,
            arrivals: events.into_iter().map(Arrival::read).collect(),
            now: Utc::now(),
            mono_ms: first_n,
            rekeys: false,
            again: Vec::new(),
        })
        .await
        .map_err(said)?;
    let applied = ingested.verdicts.iter();
    Ok(applied.filter(|v| **v == Verdict::Applied).count())
}

pub struct Desk {
    pub device: Device,
    key: SecretKey,
    actor: Actor,
    n: u64,
    hash: Hash,
}

pub async fn city(store: &dyn Store) -> Result<Vec<Desk>, Failure> {
    store
        .begin(&Beginning {
            identity: Identity {
                device: DeviceId(Uuid::now_v7()),
                incarnation: 1,
                key: SecretKey::from_seed(secret::seed()),
                epoch: secret::token(),
            },
            organisation: "测试通信".into(),
            policy: Policy::default(),
            rules: 1,
        })
        .await
        .map_err(said)?;
    let mut desks = Vec::new();
    for number in 0..DESKS {
        let code: BranchCode = format!("CQ{number:04}").parse().map_err(said)?;
        let branch = Branch {
            code: code.clone(),
            name: code.to_string(),
            active: true,
        };
        store.add_branch(&branch).await.map_err(said)?;
        let clerk = StaffRecord {
            id: StaffId(Uuid::now_v7()),
            login: format!("clerk{number}"),
            name: "测试".into(),
            role: Role::Clerk,
            branch: Some(code.clone()),
            password_hash: String::new(),
            active: true,
            superior: None,
        };
        store.add_staff(&clerk).await.map_err(said)?;
        desks.push(enrol(store, code, clerk).await?);
    }
    Ok(desks)
}

async fn enrol(store: &dyn Store, branch: BranchCode, clerk: StaffRecord) -> Result<Desk, Failure> {
    let (now, hash) = (Utc::now(), secret::seed());
    let code = EnrolCode {
        hash,
        branch: branch.clone(),
        made_at: now,
        expires_at: now + TimeDelta::minutes(10),
    };
    store.add_code(&code).await.map_err(said)?;
    let key = SecretKey::from_seed(secret::seed());
    let device = store
        .enrol(hash, &key.public(), "前台", now)
        .await
        .map_err(said)?;
    let actor = Actor {
        staff: Some(clerk.id),
        name: clerk.name,
        role: clerk.role,
        branch: Some(branch),
    };
    Ok(Desk {
        device,
        key,
        actor,
        n: 0,
        hash: Hash::START,
    })
}

impl Desk {
    /// Recorded and assessed complaints, sealed and signed as a desk sends them.
    pub fn requests(&mut self, batches: usize) -> Result<Vec<Vec<u8>>, Failure> {
        let mut requests = Vec::new();
        for _ in 0..batches {
            let first_n = self.n + 1;
            let mut events = Vec::with_capacity(BATCH);
            while events.len() < BATCH {
                events.extend(self.complaint()?);
            }
            let request = Request {
                v: VERSION,
                device: self.device.id,
                incarnation: self.device.incarnation,
                session: None,
                ask: Ask::Batch {
                    lane: Lane::Ordinary,
                    first_n,
                    events,
                    incarnation: None,
                    rekeys: false,
                    known: None,
                },
            };
            let signed = Signed::seal(&request, &self.key).map_err(said)?;
            requests.push(serde_json::to_vec(&signed)?);
        }
        Ok(requests)
    }

    fn complaint(&mut self) -> Result<[SealedEvent; 2], Failure> {
        let (id, now) = (ComplaintId(Uuid::now_v7()), Utc::now());
        let n = usize::try_from(self.n).map_err(said)?;
        let number = u32::try_from(n / 2 + 1).map_err(said)?;
        let reference = ReferenceNumber::compose(
            &self.device.branch,
            now.date_naive(),
            &self.device.letter,
            number,
        )
        .map_err(said)?;
        let (intake, assessment) = intake(n, false);
        let recorded = Fact::Recorded {
            reference,
            intake: Box::new(intake.clone()),
            arrived_at: now,
            late: false,
            source: Source::Form,
        };
        let assessed = Fact::Assessed {
            category: intake.category,
            grade: assessment.grade,
            complexity: assessment.complexity,
            suggestion: None,
            override_reason: assessment.override_reason,
        };
        Ok([self.seal(id, recorded)?, self.seal(id, assessed)?])
    }

    fn seal(&mut self, complaint: ComplaintId, fact: Fact) -> Result<SealedEvent, Failure> {
        self.n += 1;
        let event = LedgerEvent {
            key: EventKey {
                device: self.device.id,
                incarnation: self.device.incarnation,
                lane: Lane::Ordinary,
                n: self.n,
            },
            complaint,
            owner_no: 1,
            at: Stamp {
                wall: Utc::now(),
                mono_ms: self.n,
                hub_offset_ms: Some(0),
                offset_age_s: Some(0),
            },
            actor: self.actor.clone(),
            fact,
            origin: None,
        };
        let sealed = SealedEvent::seal(&event, self.hash).map_err(said)?;
        self.hash = sealed.hash;
        Ok(sealed)
    }
}

/// A line of the log, in the columns' order of the embedded store.
struct LogRow {
    seq: i64,
    branch: String,
    complaint: Uuid,
    device: Uuid,
    incarnation: i64,
    lane: i64,
    n: i64,
    received_at: i64,
    body: String,
    prev: Vec<u8>,
    hash: Vec<u8>,
    chain: Vec<u8>,
}

async fn sqlite_rows(file: &Path) -> Result<Vec<LogRow>, Failure> {
    let mut connection = suda_sqlite::options()
        .filename(file)
        .read_only(true)
        .connect()
        .await
        .map_err(said)?;
    let read = sqlx::query(
        "SELECT seq, branch, complaint, device, incarnation, lane, n, received_at, body, prev, \
         hash, chain FROM log ORDER BY seq",
    )
    .fetch_all(&mut connection)
    .await
    .map_err(said)?;
    connection.close().await.map_err(said)?;
    read.iter().map(|row| log_row(row).map_err(said)).collect()
}

fn log_row(row: &sqlx::sqlite::SqliteRow) -> Result<LogRow, sqlx::Error> {
    Ok(LogRow {
        seq: row.try_get(0)?,
        branch: row.try_get(1)?,
        complaint: row.try_get(2)?,
        device: row.try_get(3)?,
        incarnation: row.try_get(4)?,
        lane: row.try_get(5)?,
        n: row.try_get(6)?,
        received_at: row.try_get(7)?,
        body: row.try_get(8)?,
        prev: row.try_get(9)?,
        hash: row.try_get(10)?,
        chain: row.try_get(11)?,
    })
}

const RAW_TABLE: &str = "CREATE TABLE raw_log (seq INTEGER PRIMARY KEY, branch TEXT NOT NULL, \
    complaint BLOB NOT NULL, device BLOB NOT NULL, incarnation INTEGER NOT NULL, \
    lane INTEGER NOT NULL, n INTEGER NOT NULL, received_at INTEGER NOT NULL, body TEXT NOT NULL, \
    prev BLOB NOT NULL, hash BLOB NOT NULL, chain BLOB NOT NULL, \
    UNIQUE (device, incarnation, lane, n)); \
    CREATE INDEX raw_by_branch ON raw_log (branch, seq); \
    CREATE INDEX raw_by_complaint ON raw_log (complaint, seq)";

/// Rows a second, a batch a transaction, with the hub's settings and indexes.
async fn raw_sqlite(file: &Path, rows: &[LogRow]) -> Result<f64, Failure> {
    let mut connection: SqliteConnection = suda_sqlite::options()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
        .map_err(said)?;
    sqlx::raw_sql(RAW_TABLE)
        .execute(&mut connection)
        .await
        .map_err(said)?;
    let begin = Instant::now();
    for part in rows.chunks(BATCH) {
        let mut tx = connection.begin().await.map_err(said)?;
        let mut insert = sqlx::QueryBuilder::<sqlx::Sqlite>::new("INSERT INTO raw_log ");
        insert.push_values(part, |mut line, row| {
            line.push_bind(row.seq)
                .push_bind(&row.branch)
                .push_bind(row.complaint)
                .push_bind(row.device)
                .push_bind(row.incarnation)
                .push_bind(row.lane)
                .push_bind(row.n)
                .push_bind(row.received_at)
                .push_bind(&row.body)
                .push_bind(&row.prev)
                .push_bind(&row.hash)
                .push_bind(&row.chain);
        });
        insert.build().execute(&mut *tx).await.map_err(said)?;
        tx.commit().await.map_err(said)?;
    }
    Ok(rate(rows.len(), begin.elapsed()))
}

/// Events a second when the complaints' rows are written besides, into tables
/// as the hub's: by the database alone, from its own file.
async fn raw_sqlite_all(file: &Path, hub: &Path, events: usize) -> Result<f64, Failure> {
    let mut connection: SqliteConnection = suda_sqlite::options()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
        .map_err(said)?;
    sqlx::query("ATTACH ? AS hub")
        .bind(hub.to_string_lossy().into_owned())
        .execute(&mut connection)
        .await
        .map_err(said)?;
    let made: Vec<String> = sqlx::query_scalar(
        "SELECT sql FROM hub.sqlite_schema WHERE tbl_name IN ('log', 'complaint') \
         AND type IN ('table', 'index') AND sql IS NOT NULL ORDER BY type DESC",
    )
    .fetch_all(&mut connection)
    .await
    .map_err(said)?;
    for sql in made {
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
        statement.execute(&mut connection).await.map_err(said)?;
    }
    // Read once, so that what is timed reads memory.
    let _read: i64 = sqlx::query_scalar("SELECT count(*) FROM hub.log WHERE length(body) > 0")
        .fetch_one(&mut connection)
        .await
        .map_err(said)?;
    let begin = Instant::now();
    for first in (1..=events).step_by(BATCH) {
        let mut tx = connection.begin().await.map_err(said)?;
        for insert in [
            "INSERT INTO main.log SELECT * FROM hub.log WHERE seq BETWEEN ?1 AND ?2",
            "INSERT INTO main.complaint SELECT * FROM hub.complaint WHERE id IN \
             (SELECT complaint FROM hub.log WHERE seq BETWEEN ?1 AND ?2) \
             AND updated_seq BETWEEN ?1 AND ?2",
        ] {
            sqlx::query(insert)
                .bind(first as i64)
                .bind((first + BATCH - 1) as i64)
                .execute(&mut *tx)
                .await
                .map_err(said)?;
        }
        tx.commit().await.map_err(said)?;
    }
    Ok(rate(events, begin.elapsed()))
}

/// The same into PostgreSQL, by as many connections as there are senders.
async fn raw_postgres(url: &str, rows: &[LogRow]) -> Result<f64, Failure> {
    let options = postgres::options(url).map_err(said)?;
    let pool: PgPool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect_with(options)
        .await
        .map_err(said)?;
    sqlx::raw_sql("CREATE TABLE raw_log (LIKE log INCLUDING ALL)")
        .execute(&pool)
        .await
        .map_err(said)?;
    let begin = Instant::now();
    let results: Vec<Result<(), Failure>> = stream::iter(rows.chunks(BATCH))
        .map(|part| insert_postgres(&pool, part))
        .buffer_unordered(CONNECTIONS as usize)
        .collect()
        .await;
    let took = begin.elapsed();
    results.into_iter().collect::<Result<Vec<()>, _>>()?;
    pool.close().await;
    Ok(rate(rows.len(), took))
}

async fn insert_postgres(pool: &PgPool, part: &[LogRow]) -> Result<(), Failure> {
    let numbers = |of: fn(&LogRow) -> i64| part.iter().map(of).collect::<Vec<_>>();
    let bytes = |of: fn(&LogRow) -> &[u8]| part.iter().map(of).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO raw_log (seq, received_at, incarnation, lane, n, complaint, device, branch, \
         prev, hash, chain, body) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], \
         $4::bigint[], $5::bigint[], $6::uuid[], $7::uuid[], $8::text[], $9::bytea[], \
         $10::bytea[], $11::bytea[], $12::text[])",
    )
    .bind(numbers(|row| row.seq))
    .bind(numbers(|row| row.received_at))
    .bind(numbers(|row| row.incarnation))
    .bind(numbers(|row| row.lane))
    .bind(numbers(|row| row.n))
    .bind(part.iter().map(|row| row.complaint).collect::<Vec<_>>())
    .bind(part.iter().map(|row| row.device).collect::<Vec<_>>())
    .bind(
        part.iter()
            .map(|row| row.branch.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(bytes(|row| &row.prev))
    .bind(bytes(|row| &row.hash))
    .bind(bytes(|row| &row.chain))
    .bind(part.iter().map(|row| row.body.as_str()).collect::<Vec<_>>())
    .execute(pool)
    .await
    .map_err(said)?;
    Ok(())
}
