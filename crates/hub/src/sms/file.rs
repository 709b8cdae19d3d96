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

/// A file grown to this is put aside, with a number behind its name.
const MOST_BYTES: u64 = 8 * 1024 * 1024;
/// So many are kept beside the one written to; what is older is forgotten with
/// the numbers in it.
const KEPT: u32 = 4;

/// Appends each text to a file that only the hub's account can read.
#[derive(Debug)]
pub struct FileAdapter {
    path: PathBuf,
    most_bytes: u64,
}

impl FileAdapter {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            most_bytes: MOST_BYTES,
        }
    }

    /// Begins a new file when the line would make this one too long: the oldest
    /// of those put aside goes, the others move on by one.
    async fn turn_over(&self, line: &[u8]) -> io::Result<()> {
        let size = match tokio::fs::metadata(&self.path).await {
            Ok(file) => file.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        if size == 0 || size + line.len() as u64 <= self.most_bytes {
            return Ok(());
        }
        for number in (1..KEPT).rev() {
            let moved = tokio::fs::rename(self.aside(number), self.aside(number + 1)).await;
            match moved {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        tokio::fs::rename(&self.path, self.aside(1)).await
    }

    fn aside(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }

    async fn append(&self, line: &[u8]) -> io::Result<()> {
        self.turn_over(line).await?;
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

#[cfg(test)]
mod tests {
    use suda_domain::texts::Mobile;
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn a_full_file_is_put_aside_and_only_so_many_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut adapter = FileAdapter {
            most_bytes: 250,
            ..FileAdapter::new(dir.path().join(FILE))
        };
        let to = Mobile::read("13800138000").unwrap();
        for number in 0..30_u128 {
            let (id, text) = (Uuid::from_u128(number), number.to_string());
            let outgoing = Outgoing {
                id,
                to: &to,
                text: &text,
            };
            adapter.send(&outgoing).await.unwrap();
        }
        let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
        let newest = read(dir.path().join(FILE));
        assert!(newest.lines().last().unwrap().contains("\"29\""));
        let mut files = 0;
        let mut last = 30;
        for path in std::iter::once(dir.path().join(FILE)).chain(
            (1..)
                .map(|number| adapter.aside(number))
                .take_while(|path| path.exists()),
        ) {
            let text = read(path);
            assert!(text.len() <= 250, "{}", text.len());
            for line in text.lines().rev() {
                last -= 1;
                assert!(line.contains(&format!("\"text\":\"{last}\"")), "{line}");
            }
            files += 1;
        }
        assert_eq!(files, 1 + KEPT);
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            1 + KEPT as usize
        );
    }
}
