//! Enrolment: a one-time code becomes a device with its own key.

use std::time::Duration;

use reqwest::StatusCode;
use suda_sync::SecretKey;
use suda_sync::message::{EnrolRefused, EnrolReply, EnrolRequest, VERSION};

use crate::clock::{HubTime, to_ms};
use crate::desk::{Change, Desk, Enrolled, EnrolmentView};
use crate::place::{IdentityFile, PlaceError};
use crate::store::directory::{DeviceRow, save_device, save_directory};
use crate::store::{StoreError, outbox};
use crate::transport::{Transport, TransportError};

/// Why the enrolment failed. The desk is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("this computer is already enrolled")]
    AlreadyEnrolled,
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the hub does not know this enrolment code")]
    CodeUnknown,
    #[error("this enrolment code has been used; ask for a new one")]
    CodeUsed,
    #[error("this enrolment code has expired; ask for a new one")]
    CodeExpired,
    #[error("hub and desk do not understand each other's version; update the older one")]
    VersionMismatch,
    #[error("the hub is overloaded or failing (HTTP {0}); try again later")]
    HubFailing(u16),
    #[error("the rule file from the hub cannot be read")]
    Rules(#[from] suda_judge::RuleSetError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The longest name a computer gives itself.
const NAME_LIMIT: usize = 80;

impl Desk {
    /// Enrols this computer at the hub under the name it has.
    pub async fn enrol(&self, hub_url: &str, code: &str) -> Result<EnrolmentView, EnrolError> {
        self.enrol_as(hub_url, code, &computer_name()).await
    }

    /// Enrols under a name of one's own choice.
    pub async fn enrol_as(
        &self,
        hub_url: &str,
        code: &str,
        name: &str,
    ) -> Result<EnrolmentView, EnrolError> {
        if self.inner.enrolled().is_ok() {
            return Err(EnrolError::AlreadyEnrolled);
        }
        let transport = Transport::new(hub_url)?;
        let secret = SecretKey::from_seed(rand::random());
        let request = EnrolRequest {
            v: VERSION,
            code: code.trim().to_owned(),
            key: secret.public(),
            device_name: name
                .chars()
                .filter(|c| !c.is_control())
                .take(NAME_LIMIT)
                .collect(),
        };
        let asked_ms = self.inner.time.clock.mono_ms();
        let answer = transport.post("/v1/enrol", &request).await?;
        if answer.status != StatusCode::OK {
            return Err(refusal(answer.status, answer.json::<EnrolRefused>().ok()));
        }
        let reply: EnrolReply = answer.json()?;
        let seen = self.inner.time.hub_time(reply.now, asked_ms);
        self.keep(hub_url, secret, reply, seen).await
    }

    async fn keep(
        &self,
        hub_url: &str,
        secret: SecretKey,
        reply: EnrolReply,
        seen: HubTime,
    ) -> Result<EnrolmentView, EnrolError> {
        let device = DeviceRow {
            device: reply.device,
            incarnation: reply.incarnation,
            desk_letter: reply.desk_letter,
            hub_url: hub_url.trim().trim_end_matches('/').to_owned(),
            hub_key: reply.hub_key,
            secret,
        };
        let enrolled = Enrolled::new(device, reply.directory)?;
        let now = to_ms(seen.hub);
        let mut tx = self.inner.store.begin().await?;
        save_device(tx.conn(), &enrolled.device, now).await?;
        save_directory(tx.conn(), &enrolled.directory).await?;
        outbox::set_link(tx.conn(), &reply.epoch, 0).await?;
        let inner = &self.inner;
        inner.commit_with_hub_time(tx, &enrolled, seen).await?;
        // Enrolled from here on; the file beside is made good at the next start.
        if let Err(error) = self.note_identity(&enrolled) {
            tracing::warn!(%error, "enrolled, but not yet noted beside the database");
        }
        self.inner.set_enrolled(enrolled);
        // From here on events are written, and kept beside the database too.
        if let Err(error) = self.catch_up().await {
            tracing::warn!(%error, "enrolled, but without the journal until the next start");
        }
        self.inner.tell(Change::Directory);
        self.inner.written.notify_one();
        self.enrolment()
            .ok_or(EnrolError::Transport(TransportError::NotSuda))
    }

    fn note_identity(&self, enrolled: &Enrolled) -> Result<(), PlaceError> {
        let Some(file) = self.inner.place.identity()? else {
            return Ok(());
        };
        let (device, incarnation) = enrolled.identity();
        self.inner.place.save_identity(&IdentityFile {
            device: Some(device),
            incarnation: Some(incarnation),
            ..file
        })
    }

    /// Waits until the desk is enrolled.
    pub(crate) async fn until_enrolled(&self) {
        while self.inner.enrolled().is_err() {
            let told = self.inner.written.notified();
            tokio::time::timeout(Duration::from_secs(1), told)
                .await
                .ok();
        }
    }
}

fn refusal(status: StatusCode, refused: Option<EnrolRefused>) -> EnrolError {
    match refused {
        Some(EnrolRefused::UnknownCode) => EnrolError::CodeUnknown,
        Some(EnrolRefused::UsedCode) => EnrolError::CodeUsed,
        Some(EnrolRefused::ExpiredCode) => EnrolError::CodeExpired,
        Some(EnrolRefused::Version) => EnrolError::VersionMismatch,
        None if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            EnrolError::HubFailing(status.as_u16())
        }
        None => EnrolError::Transport(TransportError::NotSuda),
    }
}

/// What the computer calls itself, for the administrator's list.
fn computer_name() -> String {
    let from_file = || std::fs::read_to_string("/etc/hostname").ok();
    ["COMPUTERNAME", "HOSTNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .or_else(from_file)
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "desk".to_owned())
}
