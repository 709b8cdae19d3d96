//! Texts as lines of a file: for an installation without an SMS centre, and to
//! see what would be sent. Each line is a JSON object with `id`, `to` and
//! `text`.

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt as _;

use super::{Adapter, Heard, Outgoing, SendError, Sent};

/// The file's name in a data directory.
pub const FILE: &str = "sms.jsonl";

/// Appends each text to a file that only the hub's account can read.
#[derive(Debug)]
pub struct FileAdapter {
    path: PathBuf,
}

impl FileAdapter {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    async fn append(&self, line: &[u8]) -> io::Result<()> {
        let mut file = open(&self.path).await?;
        file.write_all(line).await?;
        file.sync_data().await
    }
}

#[async_trait]
impl Adapter for FileAdapter {
    async fn send(&mut self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        let line = serde_json::json!({
            "id": outgoing.id,
            "to": outgoing.to,
            "text": outgoing.text,
        });
        let written = self.append(format!("{line}\n").as_bytes()).await;
        written.map_err(|error| {
            tracing::warn!(%error, "the file of texts cannot be written");
            SendError::Way("file_unwritable".into())
        })?;
        Ok(Sent {
            smsc_id: None,
            delivered: true,
        })
    }

    async fn heard(&mut self) -> Heard {
        std::future::pending().await
    }

    async fn answer(&mut self, _token: u32, _is_done: bool) {}
}

#[cfg(unix)]
async fn open(path: &PathBuf) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options.open(path).await
}

/// A service's directory is closed to other users there.
#[cfg(not(unix))]
async fn open(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .await
}
