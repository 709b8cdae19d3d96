//! A hub in this process and a desk made of the sync and domain crates alone:
//! what it sends is what a real desk sends, without its store.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod several;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use suda_domain::fact::{HandoffCause, Source};
use suda_domain::staff::StaffRecord;
use suda_domain::{
    Actor, BranchCode, Complaint, ComplaintId, Complexity, DeviceId, EventKey, Fact, Grade,
    HandoffPacket, Intake, Lane, LedgerEvent, Policy, ReferenceNumber, Role, StaffId, Stamp,
};
use suda_hub::admin::{NewStaff, add_staff, make_code};
use suda_hub::serve::Serving;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Beginning, Branch, Identity, Store};
use suda_hub::{Clock, Hub, secret};
use suda_sync::compare::Compared;
use suda_sync::message::{EnrolReply, EnrolRequest, VERSION};
use suda_sync::{
    Ask, Hash, LogEntry, Page, Position, PublicKey, Receipt, Reply, Request, SealedEvent,
    SecretKey, Signed, Welcome,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const PASSWORD: &str = "a good password";

/// 21 July 2026, ten o'clock in Chongqing.
pub fn morning() -> DateTime<Utc> {
    "2026-07-21T02:00:00Z".parse().unwrap()
}

/// A clock the test moves.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(morning().timestamp_millis())))
    }

    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }

    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub fn clock(&self) -> Clock {
        let this = self.clone();
        Clock::from_fn(move || this.now())
    }
}

/// Polls until it holds, at most ten seconds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "never came true: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A new store with two branches and staff of every role. Logins are the
/// roles' names; clerks and managers of the second branch end in `2`.
pub async fn initialised(dir: &Path) -> SqliteStore {
    let store = SqliteStore::open(dir, true).await.unwrap();
    fill(&store).await;
    store
}

pub async fn fill(store: &dyn Store) {
    store
        .begin(&Beginning {
            identity: Identity {
                device: DeviceId(Uuid::now_v7()),
                incarnation: 1,
                key: SecretKey::from_seed(secret::seed()),
                epoch: "first".into(),
            },
            organisation: "测试通信".into(),
            policy: Policy::default(),
            rules: 1,
        })
        .await
        .unwrap();
    for (code, name) in [("CQ0101", "解放碑营业厅"), ("CQ0102", "观音桥营业厅")] {
        let branch = Branch {
            code: code.parse().unwrap(),
            name: name.into(),
            active: true,
        };
        store.add_branch(&branch).await.unwrap();
    }
    let hash = secret::hash_password(PASSWORD).unwrap();
    let people = [
        ("clerk", Role::Clerk, Some("CQ0101")),
        ("branch_manager", Role::BranchManager, Some("CQ0101")),
        ("clerk2", Role::Clerk, Some("CQ0102")),
        ("expert", Role::Expert, None),
        ("expert2", Role::Expert, None),
        ("department", Role::Department, None),
        ("department2", Role::Department, None),
        ("management", Role::Management, None),
        ("auditor", Role::Auditor, None),
        ("administrator", Role::Administrator, None),
    ];
    for (login, role, branch) in people {
        store
            .add_staff(&StaffRecord {
                id: StaffId(Uuid::now_v7()),
                login: login.into(),
                name: format!("姓名 {login}"),
                role,
                branch: branch.map(|code| code.parse().unwrap()),
                password_hash: hash.clone(),
                active: true,
                superior: None,
            })
            .await
            .unwrap();
    }
}

/// A hub that listens on loopback.
pub struct TestHub {
    pub address: SocketAddr,
    pub hub: Arc<Hub>,
    pub clock: TestClock,
    pub dir: PathBuf,
    pub client: Client,
    stop: CancellationToken,
    running: Option<JoinHandle<()>>,
    _dir: Option<TempDir>,
}

impl TestHub {
    pub async fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let store = initialised(dir.path()).await;
        suda_hub::store::Upkeep::close(&store).await;
        drop(store);
        let mut hub = Self::start_in(dir.path(), TestClock::new()).await;
        hub._dir = Some(dir);
        hub
    }

    pub async fn start_in(dir: &Path, clock: TestClock) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let serving = Serving::prepare(dir, listen, None, clock.clock())
            .await
            .unwrap();
        Self::run(serving, clock, dir)
    }

    fn run(serving: Serving, clock: TestClock, dir: &Path) -> Self {
        let (address, hub) = (serving.address, Arc::clone(&serving.hub));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let running = tokio::spawn(async move { serving.run(stopped).await.unwrap() });
        Self {
            address,
            hub,
            clock,
            dir: dir.to_owned(),
            client: Client::builder().no_proxy().build().unwrap(),
            stop,
            running: Some(running),
            _dir: None,
        }
    }

    /// Stops in order and gives the directory for a next start.
    pub async fn stop(mut self) -> Option<TempDir> {
        self.stop.cancel();
        self.running.take().unwrap().await.unwrap();
        self._dir.take()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn sign_in(&self, login: &str) -> Person {
        let body = json!({ "login": login, "password": PASSWORD });
        let answer = self
            .client
            .post(self.url("/api/login"))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{login} cannot sign in");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Person {
            client: self.client.clone(),
            base: self.url(""),
            cookie,
        }
    }

    pub async fn staff(&self, login: &str) -> StaffRecord {
        self.hub.store.staff_by_login(login).await.unwrap().unwrap()
    }

    pub async fn enrol(&self, branch: &str, clerk: &str) -> FakeDesk {
        let branch: BranchCode = branch.parse().unwrap();
        let code = make_code(self.hub.store.as_ref(), branch, self.clock.now())
            .await
            .unwrap();
        let key = SecretKey::from_seed(secret::seed());
        let answer = self.enrol_with(&code.code, key.public()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let reply: EnrolReply = answer.json().await.unwrap();
        let actor = actor(&self.staff(clerk).await);
        FakeDesk::new(self, key, reply, actor)
    }

    pub async fn enrol_with(&self, code: &str, key: PublicKey) -> reqwest::Response {
        let request = EnrolRequest {
            v: VERSION,
            code: code.to_owned(),
            key,
            device_name: "前台一号".into(),
        };
        self.client
            .post(self.url("/v1/enrol"))
            .json(&request)
            .send()
            .await
            .unwrap()
    }
}

/// Somebody at a browser.
#[derive(Clone)]
pub struct Person {
    client: Client,
    base: String,
    pub cookie: String,
}

impl Person {
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        request = request.header("cookie", &self.cookie);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "POST {path}: {status} {answer}");
        answer
    }

    /// The code of a refusal.
    pub async fn refused(&self, path: &str, body: Value) -> (StatusCode, String) {
        let (status, answer) = self.ask(Method::POST, path, Some(body)).await;
        assert!(!status.is_success(), "POST {path} was allowed: {answer}");
        (
            status,
            answer["code"].as_str().unwrap_or_default().to_owned(),
        )
    }

    /// The stream of changes.
    pub async fn live(&self) -> reqwest::Response {
        let request = self.client.get(format!("{}/api/live", self.base));
        request.header("cookie", &self.cookie).send().await.unwrap()
    }
}

pub fn actor(staff: &StaffRecord) -> Actor {
    Actor {
        staff: Some(staff.id),
        name: staff.name.clone(),
        role: staff.role,
        branch: staff.branch.clone(),
    }
}

/// A desk's writing side: lanes, chains, counters.
pub struct Pen {
    pub device: DeviceId,
    pub actor: Actor,
    pub letter: String,
    pub heads: [(u64, Hash); 4],
    pub running: u32,
}

impl Pen {
    pub fn new(device: DeviceId, actor: Actor, letter: &str) -> Self {
        Self {
            device,
            actor,
            letter: letter.into(),
            heads: [(0, Hash::START); 4],
            running: 0,
        }
    }

    pub fn branch(&self) -> BranchCode {
        self.actor.branch.clone().unwrap()
    }

    pub fn write(
        &mut self,
        lane: Lane,
        complaint: ComplaintId,
        owner_no: u32,
        at: DateTime<Utc>,
        fact: Fact,
    ) -> SealedEvent {
        let (last, prev) = self.heads[lane.index()];
        let n = last + 1;
        let event = LedgerEvent {
            key: EventKey {
                device: self.device,
                incarnation: 1,
                lane,
                n,
            },
            complaint,
            owner_no,
            at: Stamp {
                wall: at,
                mono_ms: n,
                hub_offset_ms: Some(0),
                offset_age_s: Some(1),
            },
            actor: self.actor.clone(),
            fact,
            origin: None,
        };
        let sealed = SealedEvent::seal(&event, prev).unwrap();
        self.heads[lane.index()] = (n, sealed.hash);
        sealed
    }

    pub fn reference(&mut self, at: DateTime<Utc>) -> ReferenceNumber {
        self.running += 1;
        let branch = self.branch();
        ReferenceNumber::compose(&branch, at.date_naive(), &self.letter, self.running).unwrap()
    }

    /// Recorded and assessed.
    pub fn record(
        &mut self,
        at: DateTime<Utc>,
        intake: Intake,
        grade: Grade,
        complexity: Complexity,
    ) -> (ComplaintId, ReferenceNumber, Vec<SealedEvent>) {
        let id = ComplaintId(Uuid::now_v7());
        let reference = self.reference(at);
        let category = intake.category.clone();
        let recorded = Fact::Recorded {
            reference: reference.clone(),
            intake: Box::new(intake),
            arrived_at: at,
            late: false,
            source: Source::Form,
        };
        let assessed = Fact::Assessed {
            category,
            grade,
            complexity,
            suggestion: None,
            override_reason: None,
        };
        let events = vec![
            self.write(Lane::Ordinary, id, 1, at, recorded),
            self.write(Lane::Ordinary, id, 1, at, assessed),
        ];
        (id, reference, events)
    }

    /// The urgent lane's packet for a recorded complaint.
    pub fn hand_off(
        &mut self,
        complaint: ComplaintId,
        reference: &ReferenceNumber,
        at: DateTime<Utc>,
        intake: Intake,
        grade: Grade,
    ) -> SealedEvent {
        let packet = HandoffPacket {
            reference: reference.clone(),
            branch: self.branch(),
            arrived_at: at,
            recorded_at: at,
            late: false,
            intake,
            cut: false,
            grade,
            complexity: Complexity::Complex,
            cycle: 1,
            recused: Vec::new(),
            upto_n: self.heads[Lane::Ordinary.index()].0,
        };
        let fact = Fact::HandedOff {
            packet: Box::new(packet),
            cause: HandoffCause::Manual,
        };
        self.write(Lane::Urgent, complaint, 1, at, fact)
    }
}

pub fn intake(description: &str) -> Intake {
    Intake {
        name: "张小明".into(),
        phone: "13800138000".into(),
        id_number: "500101199001011234".into(),
        category: "B.01.01".into(),
        description: description.into(),
        remedy_sought: "尽快修好".into(),
        ..Intake::default()
    }
}

/// A desk on the network, without a store.
pub struct FakeDesk {
    pub pen: Pen,
    pub key: SecretKey,
    pub enrolled: EnrolReply,
    pub session: Mutex<Option<String>>,
    client: Client,
    url: String,
}

impl FakeDesk {
    fn new(hub: &TestHub, key: SecretKey, enrolled: EnrolReply, actor: Actor) -> Self {
        Self {
            pen: Pen::new(enrolled.device, actor, &enrolled.desk_letter),
            key,
            enrolled,
            session: Mutex::new(None),
            client: hub.client.clone(),
            url: hub.url("/v1/sync"),
        }
    }

    pub fn at(&mut self, hub: &TestHub) {
        self.url = hub.url("/v1/sync");
        *self.session.lock().unwrap() = None;
    }

    pub async fn ask(&self, ask: Ask) -> Reply {
        self.send(&self.signed(ask)).await
    }

    pub async fn send(&self, signed: &Signed) -> Reply {
        let answer = self
            .client
            .post(&self.url)
            .json(signed)
            .send()
            .await
            .unwrap();
        let signed: Signed = answer.json().await.unwrap();
        signed.open(&self.enrolled.hub_key).unwrap()
    }

    /// The status a short question is answered with (`/v1/look`, `/v1/watch`).
    pub async fn short(&self, question: &str, (cursor, directory): (u64, u32)) -> u16 {
        let session = self.session.lock().unwrap().clone().unwrap_or_default();
        let door = self.url.strip_suffix("sync").unwrap();
        let EnrolReply {
            device,
            incarnation,
            ..
        } = &self.enrolled;
        let (id, at) = (device.0.simple(), format!("{cursor}/{directory}"));
        let asked = format!("{door}{question}/{id}/{incarnation}/{session}/{at}");
        let answer = self.client.get(asked).send().await.unwrap();
        answer.status().as_u16()
    }

    pub async fn hello(&self) -> Welcome {
        let Reply::Welcome(welcome) = self.ask(Ask::Hello(Position::default())).await else {
            panic!("no welcome");
        };
        *self.session.lock().unwrap() = Some(welcome.session.clone());
        welcome
    }

    pub async fn batch(&self, lane: Lane, first_n: u64, events: Vec<SealedEvent>) -> Receipt {
        match self
            .ask(Ask::Batch {
                lane,
                first_n,
                events,
                incarnation: None,
                rekeys: false,
                known: None,
            })
            .await
        {
            Reply::Receipt(receipt) => receipt,
            other => panic!("no receipt: {other:?}"),
        }
    }

    pub async fn pull(&self, cursor: u64) -> Page {
        let ask = Ask::Pull {
            cursor,
            limit: 200,
            directory: 0,
            own: None,
        };
        match self.ask(ask).await {
            Reply::Page(page) => page,
            other => panic!("no page: {other:?}"),
        }
    }

    /// Everything in the hub's log of this branch.
    pub async fn pull_all(&self) -> Vec<LogEntry> {
        let mut entries = Vec::new();
        let mut cursor = 0;
        loop {
            let page = self.pull(cursor).await;
            assert!(page.directory.is_some(), "an old directory is renewed");
            entries.extend(page.entries);
            cursor = page.cursor;
            if !page.more {
                return entries;
            }
        }
    }

    /// What the hub says its log adds up to.
    pub async fn compare(&self, after: u64, upto: u64) -> Compared {
        let ask = Ask::Compare {
            after,
            upto,
            differs: false,
        };
        match self.ask(ask).await {
            Reply::Compared(told) => told,
            other => panic!("nothing compared: {other:?}"),
        }
    }

    /// A message as the desk signs it.
    pub fn signed(&self, ask: Ask) -> Signed {
        let session = self.session.lock().unwrap().clone();
        let request = Request {
            v: VERSION,
            device: self.enrolled.device,
            incarnation: self.enrolled.incarnation,
            session,
            ask,
        };
        Signed::seal(&request, &self.key).unwrap()
    }

    /// Records and hands off one complaint, urgent lane first.
    pub async fn hand_off(
        &mut self,
        at: DateTime<Utc>,
        description: &str,
        grade: Grade,
    ) -> ComplaintId {
        self.hand_off_of(at, intake(description), grade).await
    }

    /// The same of another customer.
    #[allow(dead_code, reason = "not every test has several customers")]
    pub async fn hand_off_of(
        &mut self,
        at: DateTime<Utc>,
        intake: Intake,
        grade: Grade,
    ) -> ComplaintId {
        let (id, reference, events) =
            self.pen
                .record(at, intake.clone(), grade, Complexity::Complex);
        let first_ordinary = self.pen.heads[1].0 - 1;
        let packet = self.pen.hand_off(id, &reference, at, intake, grade);
        let first_urgent = self.pen.heads[0].0;
        self.hello().await;
        self.batch(Lane::Urgent, first_urgent, vec![packet]).await;
        self.batch(Lane::Ordinary, first_ordinary, events).await;
        id
    }
}

/// A complaint folded from the hub's log, as a desk would have it.
pub fn fold(entries: &[LogEntry], id: ComplaintId) -> Complaint {
    let mut complaint: Option<Complaint> = None;
    for event in entries.iter().map(|entry| entry.event.open().unwrap()) {
        if event.complaint != id {
            continue;
        }
        match &mut complaint {
            None => complaint = Some(Complaint::open(&event).unwrap()),
            Some(complaint) => {
                complaint.apply(&event).unwrap();
            }
        }
    }
    complaint.unwrap()
}

/// More staff than every test needs.
pub async fn add_member(hub: &TestHub, login: &str, role: Role) {
    let new = NewStaff {
        login: login.into(),
        name: login.into(),
        role,
        branch: None,
        password: Some(PASSWORD.into()),
    };
    add_staff(hub.hub.store.as_ref(), new).await.unwrap();
}
