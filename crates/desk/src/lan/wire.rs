//! Questions and answers over a connection of the branch's network: JSON behind
//! its length. Bodies are read with a bound.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use openssl::ssl::Ssl;
use serde::Serialize;
use serde::de::DeserializeOwned;
use suda_sync::lan::{Ask, Reply};
use suda_sync::{PublicKey, SecretKey};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::{LanError, tls};

/// From whom nothing is known yet.
pub(crate) const STRANGER_BYTES: u32 = 16 * 1024;
/// A batch of the longest events, escaped; a page of the mailbox's log.
pub(crate) const MOST_BYTES: u32 = 8 * 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);
/// A mailbox holds a question for news for 20 s.
const NEWS: Duration = Duration::from_secs(30);

/// One end of a connection whose other end has proven its key.
pub(crate) struct Wire {
    stream: SslStream<TcpStream>,
    pub(crate) theirs: PublicKey,
}

impl Wire {
    /// Greets whoever has connected.
    pub(crate) async fn accept(stream: TcpStream, ssl: Ssl) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let mut stream = SslStream::new(ssl, stream)?;
        Pin::new(&mut stream)
            .accept()
            .await
            .map_err(io::Error::other)?;
        Self::with(stream)
    }

    /// Connects to whatever listens at the address.
    pub(crate) async fn connect(address: &str, secret: &SecretKey) -> Result<Self, LanError> {
        let ssl = tls::connection(secret).map_err(LanError::Tls)?;
        let connecting = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut stream = SslStream::new(ssl, stream)?;
            Pin::new(&mut stream)
                .connect()
                .await
                .map_err(io::Error::other)?;
            Self::with(stream)
        };
        let connected = tokio::time::timeout(CONNECT, connecting).await;
        let connected = connected.map_err(|late| LanError::Unreachable(late.into()))?;
        connected.map_err(LanError::Unreachable)
    }

    fn with(stream: SslStream<TcpStream>) -> io::Result<Self> {
        let theirs = tls::their_key(stream.ssl());
        let theirs = theirs.ok_or_else(|| io::Error::other("no key of a desk"))?;
        Ok(Self { stream, theirs })
    }

    /// Asks and waits for the answer.
    pub(crate) async fn ask(&mut self, ask: &Ask) -> Result<Reply, LanError> {
        let patience = match ask {
            Ask::Take { .. } => NEWS,
            _ => ANSWER,
        };
        let asking = async {
            self.write(ask).await?;
            self.read(MOST_BYTES).await
        };
        let asked = tokio::time::timeout(patience, asking).await;
        let reply = asked.map_err(|late| LanError::Unreachable(late.into()))?;
        match reply.map_err(LanError::Unreachable)? {
            Some(Reply::Refused(refused)) => Err(LanError::of(refused)),
            Some(reply) => Ok(reply),
            None => Err(LanError::NotAMailbox),
        }
    }

    pub(crate) async fn write(&mut self, message: &impl Serialize) -> io::Result<()> {
        let body = serde_json::to_vec(message)?;
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        let mut frame = Vec::with_capacity(body.len() + 4);
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&body);
        self.stream.write_all(&frame).await?;
        self.stream.flush().await
    }

    /// The next message; nothing when this version cannot read it.
    pub(crate) async fn read<T: DeserializeOwned>(&mut self, most: u32) -> io::Result<Option<T>> {
        let length = self.stream.read_u32().await?;
        if length > most {
            return Err(io::Error::other("longer than any message"));
        }
        let mut body = vec![0; length as usize];
        self.stream.read_exact(&mut body).await?;
        Ok(serde_json::from_slice(&body).ok())
    }
}
