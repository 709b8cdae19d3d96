//! Builders: a clock that is set by hand, a small hub, an enrolled desk.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use suda_desk::view::Assessment;
use suda_desk::{Clock, Desk, KeySource, Session};
use suda_domain::staff::StaffRecord;
use suda_domain::{
    Actor, ComplaintId, Complexity, DeviceId, EventKey, Fact, Grade, Intake, Lane, LedgerEvent,
    Policy, Role, StaffId, Stamp,
};
use suda_sync::compare::{Compared, LogSum};
use suda_sync::message::{EnrolRefused, EnrolReply, EnrolRequest, LogEntry, Refused, Watermarks};
use suda_sync::model::ModelPiece;
use suda_sync::statistics::{DayName, DayTaken, DayTotals, Taken};
use suda_sync::{
    Ask, Directory, Hash, Page, Receipt, Reply, Request, SealedEvent, SecretKey, SetAside, Signed,
    Verdict, Welcome,
};
use tempfile::TempDir;
use uuid::Uuid;

pub const LOGIN: &str = "wang";
pub const PASSWORD: &str = "counter-7";
pub const CODE: &str = "ABCD-1234";
pub const BRANCH: &str = "CQ0123";
const HUB: DeviceId = DeviceId(Uuid::from_u128(7));

/// The computer's clocks, and what is done to them by hand.
pub struct HandClock {
    /// Time that has passed, for both clocks.
    added_ms: AtomicI64,
    /// How far somebody has set the wall clock.
    set_ms: AtomicI64,
    /// Which start of the computer it is, and when that was; 0 when it does
    /// not tell.
    boot: AtomicI64,
    booted_ms: AtomicI64,
    started: Instant,
    from: DateTime<Utc>,
}

impl HandClock {
    pub fn new() -> Arc<Self> {
        let (started, from) = (Instant::now(), Utc::now());
        Arc::new(Self {
            added_ms: AtomicI64::new(0),
            set_ms: AtomicI64::new(0),
            boot: AtomicI64::new(0),
            booted_ms: AtomicI64::new(0),
            started,
            from,
        })
    }

    pub fn pass(&self, minutes: i64) {
        self.added_ms.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock, back when negative.
    pub fn set(&self, minutes: i64) {
        self.set_ms.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }

    /// The computer is started anew; from here on it names its starts.
    pub fn boot(&self) {
        self.boot.fetch_add(1, Ordering::SeqCst);
        self.booted_ms.store(self.passed_ms(), Ordering::SeqCst);
    }

    /// The true time.
    pub fn truly(&self) -> DateTime<Utc> {
        self.from + TimeDelta::milliseconds(self.passed_ms())
    }

    fn passed_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap();
        elapsed + self.added_ms.load(Ordering::SeqCst)
    }
}

impl Clock for HandClock {
    fn wall(&self) -> DateTime<Utc> {
        self.truly() + TimeDelta::milliseconds(self.set_ms.load(Ordering::SeqCst))
    }

    fn mono_ms(&self) -> u64 {
        u64::try_from(self.passed_ms() - self.booted_ms.load(Ordering::SeqCst)).unwrap()
    }

    fn boot(&self) -> Option<String> {
        let boot = self.boot.load(Ordering::SeqCst);
        (boot > 0).then(|| boot.to_string())
    }
}

/// What the small hub keeps. It stores and gives back; it judges nothing.
pub struct HubState {
    pub key: SecretKey,
    pub code_used: bool,
    pub watermarks: [u64; 4],
    /// Those of incarnations after the first.
    pub later: HashMap<u32, [u64; 4]>,
    pub log: Vec<SealedEvent>,
    pub directory: Directory,
    pub device_key: Option<suda_sync::PublicKey>,
    pub clock_ahead: TimeDelta,
    /// Answered in place of the sync, as a proxy or a failing hub does.
    pub instead: Option<(StatusCode, &'static str)>,
    /// What it says to have set aside.
    pub set_aside: Vec<SetAside>,
    /// What it was told of days. Absent, it is of a version before them.
    pub days: Option<BTreeMap<DayName, DayTotals>>,
    pub day_messages: u64,
    /// The package of the learned model it gives, and where it was asked for.
    pub model: Vec<u8>,
    pub pieces: Vec<u64>,
    /// A place of its log that is left out of what it tells.
    pub left_out: Option<u64>,
    /// How often its log was compared, and how often it was told of a difference.
    pub compared: (u64, u64),
    head: Hash,
    written: u64,
}

#[derive(Clone)]
pub struct Hub {
    pub state: Arc<Mutex<HubState>>,
    pub url: String,
}

impl Hub {
    pub async fn start() -> Self {
        let state = HubState {
            later: HashMap::new(),
            key: SecretKey::from_seed([9; 32]),
            code_used: false,
            watermarks: [0; 4],
            log: Vec::new(),
            directory: directory(),
            device_key: None,
            clock_ahead: TimeDelta::zero(),
            instead: None,
            set_aside: Vec::new(),
            days: None,
            model: Vec::new(),
            pieces: Vec::new(),
            day_messages: 0,
            left_out: None,
            compared: (0, 0),
            head: Hash::START,
            written: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let app = Router::new()
            .route("/v1/enrol", post(enrol))
            .route("/v1/sync", post(sync))
            .layer(axum::extract::DefaultBodyLimit::max(8 << 20))
            .with_state(state.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { state, url }
    }

    /// Writes a fact of the hub's own into its log.
    pub fn write(&self, complaint: ComplaintId, owner_no: u32, actor: Actor, fact: Fact) {
        let mut hub = self.state.lock().unwrap();
        hub.written += 1;
        let event = LedgerEvent {
            key: EventKey {
                device: HUB,
                incarnation: 1,
                lane: Lane::Ordinary,
                n: hub.written,
            },
            complaint,
            owner_no,
            at: Stamp {
                wall: Utc::now(),
                mono_ms: 0,
                hub_offset_ms: Some(0),
                offset_age_s: None,
            },
            actor,
            fact,
            origin: None,
        };
        let sealed = SealedEvent::seal(&event, hub.head).unwrap();
        hub.head = sealed.hash;
        hub.log.push(sealed);
    }
}

async fn enrol(
    State(hub): State<Arc<Mutex<HubState>>>,
    Json(request): Json<EnrolRequest>,
) -> Result<Json<EnrolReply>, (StatusCode, Json<EnrolRefused>)> {
    let mut hub = hub.lock().unwrap();
    if request.code != CODE {
        return Err((StatusCode::NOT_FOUND, Json(EnrolRefused::UnknownCode)));
    }
    if hub.code_used {
        return Err((StatusCode::CONFLICT, Json(EnrolRefused::UsedCode)));
    }
    hub.code_used = true;
    hub.device_key = Some(request.key);
    Ok(Json(EnrolReply {
        device: DeviceId(Uuid::now_v7()),
        incarnation: 1,
        desk_letter: "A".into(),
        hub_key: hub.key.public(),
        epoch: "e1".into(),
        now: Utc::now() + hub.clock_ahead,
        directory: hub.directory.clone(),
    }))
}

async fn sync(
    State(hub): State<Arc<Mutex<HubState>>>,
    Json(signed): Json<Signed>,
) -> Result<Json<Signed>, (StatusCode, &'static str)> {
    let watched = matches!(signed.peek::<Request>().unwrap().ask, Ask::Watch { .. });
    if watched {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut hub = hub.lock().unwrap();
    if let Some(instead) = hub.instead {
        return Err(instead);
    }
    let reply = match signed.open::<Request>(&hub.device_key.unwrap()) {
        Ok(request) => answer(&mut hub, request),
        Err(_) => Reply::Refused(Refused::BadSignature),
    };
    Ok(Json(Signed::seal(&reply, &hub.key).unwrap()))
}

impl HubState {
    fn of(&self, incarnation: u32) -> [u64; 4] {
        match incarnation {
            1 => self.watermarks,
            later => self.later.get(&later).copied().unwrap_or_default(),
        }
    }
}

fn answer(hub: &mut HubState, request: Request) -> Reply {
    let now = Utc::now() + hub.clock_ahead;
    if !matches!(request.ask, Ask::Hello(_)) && request.session.as_deref() != Some("s") {
        return Reply::Refused(Refused::SessionExpired);
    }
    match request.ask {
        Ask::Hello(position) => Reply::Welcome(Welcome {
            session: "s".into(),
            epoch: "e1".into(),
            watermarks: hub.of(request.incarnation),
            hashes: [None; 4],
            earlier: position
                .earlier
                .iter()
                .map(|earlier| Watermarks {
                    incarnation: earlier.incarnation,
                    watermarks: hub.of(earlier.incarnation),
                    hashes: [None; 4],
                })
                .collect(),
            allowance: None,
            now,
        }),
        Ask::Batch {
            lane,
            first_n,
            events,
            incarnation,
            ..
        } => {
            let incarnation = incarnation.unwrap_or(request.incarnation);
            let mut verdicts = Vec::new();
            for (n, event) in (first_n..).zip(events) {
                let mark = match incarnation {
                    1 => &mut hub.watermarks,
                    later => hub.later.entry(later).or_default(),
                };
                let mark = &mut mark[lane.index()];
                assert!(event.hash_fits());
                if n == *mark + 1 {
                    *mark = n;
                    hub.log.push(event);
                    verdicts.push(Verdict::Applied);
                } else {
                    verdicts.push(Verdict::Duplicate);
                }
            }
            Reply::Receipt(Receipt {
                device: request.device,
                incarnation,
                epoch: "e1".into(),
                watermarks: hub.of(incarnation),
                lane,
                first_n,
                verdicts,
                allowance: None,
                level: None,
                at: now,
            })
        }
        Ask::Pull {
            cursor,
            limit,
            directory,
            own: _,
        } => {
            let entries: Vec<LogEntry> = (1..)
                .zip(&hub.log)
                .filter(|(seq, _)| *seq > cursor && Some(*seq) != hub.left_out)
                .take(limit as usize)
                .map(|(seq, event)| LogEntry {
                    seq,
                    event: event.clone(),
                })
                .collect();
            let cursor = entries.last().map_or(cursor, |entry| entry.seq);
            Reply::Page(Page {
                epoch: "e1".into(),
                cursor,
                more: cursor < hub.log.len() as u64,
                entries,
                directory: (directory != hub.directory.version)
                    .then(|| Box::new(hub.directory.clone())),
                set_aside: Some(hub.set_aside.clone()),
                placed: Vec::new(),
                now,
            })
        }
        Ask::Compare {
            after,
            upto,
            differs,
        } => {
            hub.compared.0 += 1;
            hub.compared.1 += u64::from(differs);
            let mut sum = LogSum::default();
            for (seq, event) in (1..).zip(&hub.log) {
                if after < seq && seq <= upto {
                    sum.add(seq, event.hash);
                }
            }
            Reply::Compared(Compared {
                epoch: "e1".into(),
                after,
                upto,
                sum,
            })
        }
        Ask::Evidence { .. } | Ask::Twins { .. } => Reply::Refused(Refused::Malformed),
        Ask::Statistics { days } => take_days(hub, request.device, days),
        Ask::Watch { cursor, .. } | Ask::Look { cursor, .. } => Reply::Changed {
            changed: cursor < hub.log.len() as u64,
        },
        Ask::Forward { .. } => Reply::Refused(Refused::Malformed),
        Ask::Model { version, offset } => {
            let from = offset as usize;
            // Smaller than the hub's own, so that a small model has several.
            let upto = (from + 512).min(hub.model.len());
            hub.pieces.push(offset);
            Reply::Model(ModelPiece {
                version,
                offset,
                data: STANDARD.encode(&hub.model[from.min(upto)..upto]),
            })
        }
    }
}

fn take_days(hub: &mut HubState, device: DeviceId, days: Vec<DayTotals>) -> Reply {
    let at = Utc::now() + hub.clock_ahead;
    let Some(held) = &mut hub.days else {
        return Reply::Refused(Refused::Malformed);
    };
    hub.day_messages += 1;
    let taken = days.into_iter().map(|day| {
        let name = day.name;
        let before = held.get(&name).map_or(0, |held| held.revision);
        let revision = before.max(day.revision);
        if day.revision > before {
            held.insert(name, day);
        }
        DayTaken { name, revision }
    });
    Reply::Statistics(Taken {
        device,
        epoch: "e1".into(),
        days: taken.collect(),
        at,
    })
}

pub fn staff(login: &str, name: &str, role: Role) -> StaffRecord {
    let hash = Argon2::default()
        .hash_password(PASSWORD.as_bytes())
        .unwrap();
    StaffRecord {
        id: StaffId(Uuid::new_v4()),
        login: login.into(),
        name: name.into(),
        role,
        branch: Some(BRANCH.parse().unwrap()),
        password_hash: hash.to_string(),
        active: true,
        superior: None,
    }
}

pub fn directory() -> Directory {
    let rules: serde_json::Value = serde_json::from_str(suda_judge::TELECOM).unwrap();
    let set = suda_judge::RuleSet::from_value(&rules).unwrap();
    Directory {
        version: 1,
        branch: BRANCH.parse().unwrap(),
        branch_name: "渝北营业厅".into(),
        organisation: "山城电信".into(),
        status_url: Some("https://status.example/s/".into()),
        categories: set.tree,
        rules,
        rules_2: None,
        guidance: Vec::new(),
        policy: Policy::default(),
        time: None,
        model: None,
        handoffs: None,
        known_matters: Vec::new(),
        staff: vec![
            staff(LOGIN, "王芳", Role::Clerk),
            staff("chen", "陈强", Role::BranchManager),
        ],
    }
}

/// An enrolled desk in a directory of its own.
pub struct Bench {
    pub dir: TempDir,
    pub hub: Hub,
    pub clock: Arc<HandClock>,
    pub desk: Desk,
    pub session: Session,
}

impl Bench {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let hub = Hub::start().await;
        let clock = HandClock::new();
        let desk = open(dir.path(), clock.clone()).await;
        desk.enrol(&hub.url, CODE).await.unwrap();
        let session = desk.sign_in(LOGIN, PASSWORD).await.unwrap();
        Self {
            dir,
            hub,
            clock,
            desk,
            session,
        }
    }

    /// Closes and opens again, as after a restart.
    pub async fn reopen(self) -> Self {
        self.restart(|_| {}).await
    }

    /// The program ends and starts; what happens meanwhile is done between.
    pub async fn restart(self, meanwhile: impl FnOnce(&HandClock)) -> Self {
        self.desk.close().await.unwrap();
        self.after(meanwhile).await
    }

    /// The program dies and is started again.
    pub async fn crash(self, meanwhile: impl FnOnce(&HandClock)) -> Self {
        self.after(meanwhile).await
    }

    async fn after(self, meanwhile: impl FnOnce(&HandClock)) -> Self {
        let Self {
            dir,
            hub,
            clock,
            desk,
            session: _,
        } = self;
        drop(desk);
        meanwhile(&clock);
        let desk = open(dir.path(), clock.clone()).await;
        let session = desk.sign_in(LOGIN, PASSWORD).await.unwrap();
        Self {
            dir,
            hub,
            clock,
            desk,
            session,
        }
    }

    /// Lets the hub's clock show the true time, and syncs.
    pub async fn contact(&self) {
        self.hub.state.lock().unwrap().clock_ahead = self.clock.truly() - Utc::now();
        self.desk.sync_once().await.unwrap();
    }

    /// Records with the assessment suggested.
    pub async fn record(&self, intake: Intake) -> ComplaintId {
        let draft = self.desk.draft_open(&self.session).await.unwrap();
        let assessment = self.suggested(&intake).await;
        self.desk
            .record(&self.session, draft.id, intake, assessment, None)
            .await
            .unwrap();
        draft.id
    }

    pub async fn suggested(&self, intake: &Intake) -> Assessment {
        let suggestion = self
            .desk
            .advise(&self.session, intake.clone())
            .await
            .unwrap()
            .suggestion;
        Assessment {
            grade: suggestion.grade,
            complexity: suggestion.complexity,
            override_reason: Some("按流程".into()),
            about: None,
        }
    }

    pub async fn record_as(
        &self,
        intake: Intake,
        grade: Grade,
        complexity: Complexity,
    ) -> ComplaintId {
        let draft = self.desk.draft_open(&self.session).await.unwrap();
        let assessment = Assessment {
            grade,
            complexity,
            override_reason: Some("按流程".into()),
            about: None,
        };
        self.desk
            .record(&self.session, draft.id, intake, assessment, None)
            .await
            .unwrap();
        draft.id
    }
}

pub fn key_file(dir: &Path) -> PathBuf {
    dir.join("key")
}

/// The database opened behind the desk's back, as somebody with full access could.
pub async fn behind_its_back(dir: &Path) -> SqliteConnection {
    let key = std::fs::read_to_string(key_file(dir)).unwrap();
    SqliteConnectOptions::new()
        .filename(data_dir(dir).join("suda.db"))
        .pragma("key", format!("\"x'{}'\"", key.trim()))
        .connect()
        .await
        .unwrap()
}

pub fn data_dir(dir: &Path) -> PathBuf {
    dir.join("data")
}

pub async fn open(dir: &Path, clock: Arc<HandClock>) -> Desk {
    Desk::open_at(&data_dir(dir), KeySource::File(key_file(dir)), clock)
        .await
        .unwrap()
}

/// A complete form.
pub fn form(description: &str) -> Intake {
    Intake {
        name: "张三".into(),
        phone: "13812345678".into(),
        description: description.into(),
        remedy_sought: "尽快解决".into(),
        category: leaf(),
        ..Intake::default()
    }
}

/// Any category a complaint may be filed under.
pub fn leaf() -> String {
    suda_judge::RuleSet::parse(suda_judge::TELECOM)
        .unwrap()
        .fallback_category
}
