//! How commands talk to a running hub, so that there is still one writer: the
//! server leaves its loopback address and a token in a file only its owner
//! can read; a command that finds it asks the server, else opens the store
//! itself under the same lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::State as CaseState;
use suda_domain::intake::Language;
use suda_domain::texts::Mobile;
use suda_domain::{BranchCode, DeviceId, Role};
use suda_sync::bundle::MOST_BYTES;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::admin::{NewStaff, make_code};
use crate::bundle::{self, ImportError, ImportReport};
use crate::clock::Clock;
use crate::desks::{self, DesksReport};
use crate::learning::local::{self, Trained};
use crate::secret;
use crate::sms::report::{SmsOutbox, outbox};
use crate::sms::settings::{SmsChange, SmsSettings};
use crate::staffing::{self, StaffLine};
use crate::store::sms::{Dismissal, DutyPhone};
use crate::store::{AddError, BackupError, Branch, Fault, Reader, Store, StoreError, Verified};

const LOCK: &str = "hub.lock";
const ADDRESS: &str = "admin.json";

/// What a command asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum LocalAsk {
    Alive,
    AddBranch {
        code: BranchCode,
        name: String,
    },
    MakeCode {
        branch: BranchCode,
    },
    Status,
    Desks,
    Verify,
    /// An absolute path.
    Backup {
        file: PathBuf,
    },
    /// An absolute path.
    ImportBundle {
        file: PathBuf,
    },
    BundleReceipts {
        device: DeviceId,
    },
    SmsSettings,
    ChangeSms {
        change: SmsChange,
    },
    SmsOutbox {
        failing: bool,
        limit: u32,
    },
    RetrySms {
        id: Uuid,
    },
    DismissSms {
        id: Uuid,
        reason: String,
    },
    ReleaseHeldSms,
    DiscardHeldSms {
        reason: String,
    },
    SetDutyPhone {
        login: String,
        /// Absent for none.
        phone: Option<Mobile>,
        language: Language,
    },
    Staff,
    AddStaff {
        login: String,
        name: String,
        role: Role,
        branch: Option<BranchCode>,
        /// The login of who stands directly above them.
        superior: Option<String>,
    },
    SetSuperior {
        login: String,
        superior: Option<String>,
    },
    Retrain {
        preview: bool,
    },
    /// Never to learn from this case again, named by reference or id.
    ForgetCase {
        complaint: String,
    },
}

/// What it is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum LocalReply {
    Done,
    Code {
        code: String,
        expires_at: DateTime<Utc>,
    },
    Status(StatusReport),
    Desks(DesksReport),
    Verified(VerifyReport),
    SmsSettings(SmsSettings),
    SmsOutbox(SmsOutbox),
    Count {
        count: u64,
    },
    Trained(Trained),
    Staff {
        staff: Vec<StaffLine>,
    },
    StaffAdded {
        line: StaffLine,
        /// To be shown once.
        password: Option<String>,
    },
    /// The parcel of receipts in base64, and what became of a parcel taken in.
    Bundle {
        report: Option<ImportReport>,
        receipts: String,
    },
    Failed {
        message: String,
        /// What the command exits with.
        #[serde(default = "failure")]
        exit_code: u8,
    },
}

fn failure() -> u8 {
    1
}

/// `status --json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatusReport {
    pub complaints: u64,
    pub by_state: std::collections::BTreeMap<CaseState, u64>,
    pub queued: u64,
    pub claimed: u64,
    pub devices: u64,
    pub events: u64,
    pub quarantined: u64,
    /// Of those, the ones that wait for a predecessor. Absent from older
    /// processes.
    #[serde(default)]
    pub quarantined_waiting: u64,
    /// Of those that wait, the ones that have waited for more than 5 minutes.
    #[serde(default)]
    pub quarantined_waiting_long: u64,
}

impl StatusReport {
    async fn of(store: &dyn Store, clock: &Clock) -> Result<Self, StoreError> {
        let set_aside = store.set_aside_counts(clock.now()).await?;
        let counts = store.counts().await?;
        Ok(Self {
            complaints: counts.complaints(),
            queued: counts.of(CaseState::Queued),
            claimed: counts.of(CaseState::Claimed),
            devices: counts.devices,
            events: counts.events,
            quarantined: set_aside.open,
            quarantined_waiting: set_aside.waiting,
            quarantined_waiting_long: set_aside.waiting_long,
            by_state: counts.by_state,
        })
    }
}

/// `verify --json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VerifyReport {
    pub ok: bool,
    pub events: u64,
    pub complaints: u64,
    pub lanes: u64,
    /// The first bad row and what is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad_row: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl From<Verified> for VerifyReport {
    fn from(verified: Verified) -> Self {
        let (bad_row, reason) = match verified.fault {
            Some(Fault { row, reason }) => (Some(row), Some(reason)),
            None => (None, None),
        };
        Self {
            ok: bad_row.is_none(),
            events: verified.events,
            complaints: verified.complaints,
            lanes: verified.lanes,
            bad_row,
            reason,
        }
    }
}

/// Does what is asked, in whichever process holds the store.
pub async fn perform(store: &dyn Store, clock: &Clock, ask: LocalAsk) -> LocalReply {
    let failed = |message: String| LocalReply::failed(message, failure());
    let store_failed = |error: StoreError| failed(error.to_string());
    match ask {
        LocalAsk::Alive => LocalReply::Done,
        LocalAsk::AddBranch { code, name } => {
            match store
                .add_branch(&Branch {
                    code: code.clone(),
                    name,
                    active: true,
                })
                .await
            {
                Ok(()) => LocalReply::Done,
                Err(AddError::Exists) => failed(format!("there is a branch {code} already")),
                Err(error) => failed(error.to_string()),
            }
        }
        LocalAsk::MakeCode { branch } => {
            match make_code(store, branch.clone(), clock.now()).await {
                Ok(made) => LocalReply::Code {
                    code: made.code,
                    expires_at: made.expires_at,
                },
                Err(AddError::UnknownBranch) => failed(format!("there is no branch {branch}")),
                Err(error) => failed(error.to_string()),
            }
        }
        LocalAsk::Status => match StatusReport::of(store, clock).await {
            Ok(report) => LocalReply::Status(report),
            Err(error) => store_failed(error),
        },
        LocalAsk::Desks => match desks::report(store, clock.now()).await {
            Ok(report) => LocalReply::Desks(report),
            Err(error) => store_failed(error),
        },
        LocalAsk::Verify => match store.verify().await {
            Ok(verified) => LocalReply::Verified(verified.into()),
            Err(error) => store_failed(error),
        },
        LocalAsk::Backup { file } => match store.backup(&file).await {
            Ok(()) => LocalReply::Done,
            Err(BackupError::Exists) => failed(format!("{} exists already", file.display())),
            Err(BackupError::File(error)) => {
                failed(format!("{} cannot be written: {error}", file.display()))
            }
            Err(BackupError::Store(error)) => store_failed(error),
            Err(error @ BackupError::Elsewhere) => failed(error.to_string()),
        },
        LocalAsk::ImportBundle { file } => import_bundle(store, clock, &file).await,
        LocalAsk::BundleReceipts { device } => match bundle::receipts(store, clock, device).await {
            Ok(parcel) => LocalReply::bundle(None, &parcel),
            Err(ImportError::UnknownDevice) => failed(format!("there is no desk {device}")),
            Err(error) => LocalReply::failed(error.to_string(), error.exit_code()),
        },
        LocalAsk::SmsSettings => match store.sms_settings().await {
            Ok(settings) => LocalReply::SmsSettings(settings),
            Err(error) => store_failed(error),
        },
        LocalAsk::ChangeSms { change } => match change_sms(store, change).await {
            Ok(settings) => LocalReply::SmsSettings(settings),
            Err(error) => store_failed(error),
        },
        LocalAsk::SmsOutbox { failing, limit } => {
            match outbox(store, Reader::Program, clock.now(), failing, None, limit).await {
                Ok(outbox) => LocalReply::SmsOutbox(outbox),
                Err(error) => store_failed(error),
            }
        }
        LocalAsk::Retrain { preview } => match local::retrain(store, clock, preview).await {
            Ok(trained) => LocalReply::Trained(trained),
            Err(error) => failed(error.to_string()),
        },
        LocalAsk::ForgetCase { complaint } => match local::forget(store, clock, &complaint).await {
            Ok(()) => LocalReply::Done,
            Err(error) => failed(error.to_string()),
        },
        LocalAsk::Staff => match staffing::lines(store).await {
            Ok(staff) => LocalReply::Staff { staff },
            Err(error) => store_failed(error),
        },
        LocalAsk::AddStaff {
            login,
            name,
            role,
            branch,
            superior,
        } => {
            let new = NewStaff {
                login,
                name,
                role,
                branch,
                password: None,
            };
            match staffing::add(store, new, superior.as_deref()).await {
                Ok((line, password)) => LocalReply::StaffAdded { line, password },
                Err(error) => failed(error.to_string()),
            }
        }
        LocalAsk::SetSuperior { login, superior } => {
            match staffing::change_superior(store, &login, superior.as_deref()).await {
                Ok(()) => LocalReply::Done,
                Err(error) => failed(error.to_string()),
            }
        }
        LocalAsk::RetrySms { id } => {
            match store.retry_sms(id, clock.now(), Reader::Program).await {
                Ok(true) => LocalReply::Done,
                Ok(false) => failed(format!("no text {id} has failed or was given up")),
                Err(error) => store_failed(error),
            }
        }
        LocalAsk::DismissSms { id, reason } => {
            let why = dismissal(clock, reason);
            match store.dismiss_sms(id, &why, Reader::Program).await {
                Ok(true) => LocalReply::Done,
                Ok(false) => failed(format!("no text {id} has failed or was given up")),
                Err(error) => store_failed(error),
            }
        }
        LocalAsk::ReleaseHeldSms => counted(store.release_held(clock.now(), Reader::Program).await),
        LocalAsk::DiscardHeldSms { reason } => {
            let why = dismissal(clock, reason);
            counted(store.dismiss_held(&why, Reader::Program).await)
        }
        LocalAsk::SetDutyPhone {
            login,
            phone,
            language,
        } => {
            let phone = phone.map(|to| DutyPhone { to, language });
            match set_duty_phone(store, &login, phone).await {
                Ok(true) => LocalReply::Done,
                Ok(false) => failed("there is no such login".into()),
                Err(error) => store_failed(error),
            }
        }
    }
}

/// Who gave the command is not known.
fn dismissal(clock: &Clock, reason: String) -> Dismissal {
    Dismissal {
        by: None,
        name: "suda-hub".into(),
        at: clock.now(),
        reason,
    }
}

fn counted(count: Result<u64, StoreError>) -> LocalReply {
    match count {
        Ok(count) => LocalReply::Count { count },
        Err(error) => LocalReply::failed(error.to_string(), failure()),
    }
}

async fn set_duty_phone(
    store: &dyn Store,
    login: &str,
    phone: Option<DutyPhone>,
) -> Result<bool, StoreError> {
    match store.staff_by_login(login).await? {
        Some(member) => store.set_duty_phone(member.id, phone.as_ref()).await,
        None => Ok(false),
    }
}

async fn change_sms(store: &dyn Store, change: SmsChange) -> Result<SmsSettings, StoreError> {
    let settings = store.sms_settings().await?.with(change);
    store.put_sms_settings(&settings).await?;
    Ok(settings)
}

async fn import_bundle(store: &dyn Store, clock: &Clock, file: &Path) -> LocalReply {
    let parcel = match read_parcel(file).await {
        Ok(parcel) => parcel,
        Err(error) => {
            let message = format!("{} cannot be read: {error}", file.display());
            return LocalReply::failed(message, failure());
        }
    };
    match bundle::import(store, clock, &parcel).await {
        Ok((report, receipts)) => LocalReply::bundle(Some(report), &receipts),
        Err(error) => LocalReply::failed(error.to_string(), error.exit_code()),
    }
}

/// No more than a parcel can be, so that a wrong file does not fill the memory.
async fn read_parcel(file: &Path) -> io::Result<Vec<u8>> {
    let mut parcel = Vec::new();
    tokio::fs::File::open(file)
        .await?
        .take(MOST_BYTES as u64 + 1)
        .read_to_end(&mut parcel)
        .await?;
    Ok(parcel)
}

impl LocalReply {
    fn failed(message: String, exit_code: u8) -> Self {
        Self::Failed { message, exit_code }
    }

    fn bundle(report: Option<ImportReport>, parcel: &[u8]) -> Self {
        let receipts = STANDARD.encode(parcel);
        Self::Bundle { report, receipts }
    }
}

/// Held as long as this process may write the store.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another suda-hub is using this data directory")]
    Taken,
    #[error("the data directory cannot be written")]
    Directory(#[source] io::Error),
}

impl Lock {
    /// Takes the data directory for this process.
    pub fn take(dir: &Path) -> Result<Self, LockError> {
        let file = private(dir.join(LOCK), false).map_err(LockError::Directory)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken),
            Err(TryLockError::Error(error)) => Err(LockError::Directory(error)),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Address {
    address: SocketAddr,
    token: String,
}

/// The running hub's side: serves until dropped, and removes its file then.
pub struct LocalDoor {
    file: PathBuf,
    serving: tokio::task::JoinHandle<()>,
}

impl LocalDoor {
    /// Opens a door on loopback and writes where it is.
    pub async fn open(dir: &Path, store: Arc<dyn Store>, clock: Clock) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let token = secret::token();
        let address = Address {
            address: listener.local_addr()?,
            token: token.clone(),
        };
        let file = dir.join(ADDRESS);
        let beside = dir.join("admin.json.new");
        private(beside.clone(), true)?.write_all(&serde_json::to_vec(&address)?)?;
        fs::rename(&beside, &file)?;
        let state = Arc::new(Door {
            store,
            clock,
            expected: secret::digest(&token),
        });
        let router = Router::new()
            .route("/local", post(answer))
            .with_state(state);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "commands cannot reach this hub any more");
            }
        });
        Ok(Self { file, serving })
    }
}

impl Drop for LocalDoor {
    fn drop(&mut self) {
        self.serving.abort();
        if let Err(error) = fs::remove_file(&self.file) {
            tracing::warn!(%error, "the address for commands could not be removed");
        }
    }
}

struct Door {
    store: Arc<dyn Store>,
    clock: Clock,
    expected: [u8; 32],
}

async fn answer(
    State(door): State<Arc<Door>>,
    headers: HeaderMap,
    Json(ask): Json<LocalAsk>,
) -> Response {
    let presented = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    // Compared as digests, so that the time taken tells nothing of the token.
    if presented.map(secret::digest) != Some(door.expected) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(perform(door.store.as_ref(), &door.clock, ask).await).into_response()
}

/// Asks the hub that runs on this data directory. None when none runs.
pub async fn ask_running(dir: &Path, ask: &LocalAsk) -> Option<LocalReply> {
    let text = fs::read(dir.join(ADDRESS)).ok()?;
    let Address { address, token } = serde_json::from_slice(&text).ok()?;
    let client = reqwest::Client::builder().no_proxy().build().ok()?;
    let put = async |ask: &LocalAsk, limit| {
        let request = client
            .post(format!("http://{address}/local"))
            .bearer_auth(&token);
        let answer = request
            .timeout(limit)
            .json(ask)
            .send()
            .await?
            .error_for_status()?;
        answer.json::<LocalReply>().await
    };
    // A file left behind by a crash leads nowhere; a live hub answers at once.
    put(&LocalAsk::Alive, Duration::from_secs(5)).await.ok()?;
    match put(ask, Duration::from_secs(3600)).await {
        Ok(reply) => Some(reply),
        Err(error) => {
            let message = format!("the running hub did not answer: {}", error.without_url());
            Some(LocalReply::failed(message, failure()))
        }
    }
}

#[cfg(unix)]
fn private(file: PathBuf, truncate: bool) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(truncate)
        .mode(0o600)
        .open(file)
}

#[cfg(not(unix))]
fn private(file: PathBuf, truncate: bool) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(truncate)
        .open(file)
}
