//! A desktop session of a test's own: a private message bus with a notification
//! server that shows nothing, remembers everything and clicks when asked.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

use crate::process::{Failure, Running, eventually};

const PATIENCE: Duration = Duration::from_secs(20);
/// Where desktops keep their notification server
/// (specifications.freedesktop.org, Desktop Notifications 1.2).
const PATH: &str = "/org/freedesktop/Notifications";
const NAME: &str = "org.freedesktop.Notifications";
/// The action that a click on the notification itself performs.
const DEFAULT_ACTION: &str = "default";

/// A notification as the desktop got it.
#[derive(Clone, Debug)]
pub struct Notice {
    pub id: u32,
    pub title: String,
    pub body: String,
    /// A click on it is told to the program.
    pub can_be_clicked: bool,
}

pub struct Desktop {
    connection: zbus::Connection,
    shown: Arc<Mutex<Vec<Notice>>>,
    address: String,
    _bus: Running,
}

impl Desktop {
    pub async fn start() -> Result<Self, Failure> {
        let mut command = Command::new("dbus-daemon");
        command
            .args(["--session", "--nofork", "--print-address=1"])
            .stderr(Stdio::null());
        let address = |line: &str| line.starts_with("unix:").then(|| line.to_owned());
        let (bus, address) = Running::start_until(&mut command, PATIENCE, address)?;
        let shown = Arc::default();
        let server = Server {
            shown: Arc::clone(&shown),
        };
        let connection = zbus::connection::Builder::address(address.as_str())?
            .serve_at(PATH, server)?
            .name(NAME)?
            .build()
            .await?;
        Ok(Self {
            connection,
            shown,
            address,
            _bus: bus,
        })
    }

    /// For the environment of the programs that belong to this session.
    pub fn bus_address(&self) -> &str {
        &self.address
    }

    /// Waits for the notification whose title contains `wanted`.
    pub async fn notice(&self, wanted: &str, within: Duration) -> Result<Notice, Failure> {
        eventually(wanted, within, || async {
            let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(shown.iter().find(|n| n.title.contains(wanted)).cloned())
        })
        .await
    }

    pub fn notices(&self) -> Vec<Notice> {
        self.shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Clicks a notification.
    pub async fn click(&self, notice: &Notice) -> Result<(), Failure> {
        let emitter = SignalEmitter::new(&self.connection, PATH)?;
        Server::action_invoked(&emitter, notice.id, DEFAULT_ACTION).await?;
        Ok(())
    }
}

struct Server {
    shown: Arc<Mutex<Vec<Notice>>>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    fn get_capabilities(&self) -> Vec<String> {
        vec!["actions".to_owned(), "body".to_owned()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        let [name, vendor, version, specification] = ["test", "suda", "1", "1.2"];
        (
            name.to_owned(),
            vendor.to_owned(),
            version.to_owned(),
            specification.to_owned(),
        )
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the specification's own signature"
    )]
    fn notify(
        &self,
        _program: String,
        replaces: u32,
        _icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expires_ms: i32,
    ) -> u32 {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let next = u32::try_from(shown.len()).unwrap_or(u32::MAX) + 1;
        let id = if replaces == 0 { next } else { replaces };
        shown.push(Notice {
            id,
            title,
            body,
            can_be_clicked: actions.iter().any(|action| action == DEFAULT_ACTION),
        });
        id
    }

    fn close_notification(&self, _id: u32) {}

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str)
    -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        reason: u32,
    ) -> zbus::Result<()>;
}
