//! The HTTP connection to the hub. Bodies are read with a bound, and what is
//! not a hub's answer is told apart from no answer. Knows no meaning.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use suda_sync::evidence::HEAD;

/// Largest answer read. A page of 200 entries of the longest events stays below.
const ANSWER_LIMIT: usize = 32 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Below the stall time-out of the sync core.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(25);
/// Shorter questions gain nothing by being packed.
const PACKED_FROM: usize = 512;
/// The hub holds a watch for up to 25 s.
const WATCH_TIMEOUT: Duration = Duration::from_secs(40);

/// Why the hub gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("the hub's address must begin with http:// or https:// and name a host")]
    Address,
    #[error("the hub cannot be reached; check the network and the address")]
    Unreachable(#[source] reqwest::Error),
    #[error("something answered at this address, but it is not a Suda hub")]
    NotSuda,
    #[error("the hub's answer is larger than any answer should be")]
    TooLarge,
    #[error("the question could not be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// A connection to one hub, kept alive between questions.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    client: Client,
    base: Url,
    /// The hub has said that it reads packed questions (RFC 7694). A batch of
    /// complaints is a third as long then, and a slow line carries it in a third
    /// of the time.
    packs: Arc<AtomicBool>,
}

/// An answer whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, TransportError> {
        serde_json::from_slice(&self.body).map_err(|_| TransportError::NotSuda)
    }
}

/// The address as it is kept: scheme and host, without a slash at the end.
pub(crate) fn parse_address(text: &str) -> Result<Url, TransportError> {
    let url = Url::parse(text.trim()).map_err(|_| TransportError::Address)?;
    let fits = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.query().is_none();
    if fits {
        Ok(url)
    } else {
        Err(TransportError::Address)
    }
}

impl Transport {
    pub(crate) fn new(address: &str) -> Result<Self, TransportError> {
        let base = parse_address(address)?;
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(2)
            .redirect(reqwest::redirect::Policy::none());
        // A proxy cannot reach this very computer.
        if matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(TransportError::Unreachable)?;
        Ok(Self {
            client,
            base,
            packs: Arc::default(),
        })
    }

    /// Asks and waits for the whole answer.
    pub(crate) async fn post(
        &self,
        path: &str,
        question: &impl Serialize,
    ) -> Result<Answer, TransportError> {
        self.post_within(path, question, ANSWER_TIMEOUT).await
    }

    /// Asks what the hub may answer late.
    pub(crate) async fn watch(
        &self,
        path: &str,
        question: &impl Serialize,
    ) -> Result<Answer, TransportError> {
        self.post_within(path, question, WATCH_TIMEOUT).await
    }

    /// Asks a short question (`/v1/look`, `/v1/watch`), of whose answer the status
    /// is all.
    pub(crate) async fn short(&self, path: &str) -> Result<StatusCode, TransportError> {
        let request = self.client.get(self.address(path)).timeout(WATCH_TIMEOUT);
        let response = request.send().await.map_err(failure)?;
        Ok(response.status())
    }

    /// Whether something takes connections at the address.
    pub(crate) async fn is_listening(&self) -> bool {
        let (Some(host), Some(port)) = (self.base.host_str(), self.base.port_or_known_default())
        else {
            return false;
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        let connect = tokio::net::TcpStream::connect((host, port));
        matches!(
            tokio::time::timeout(CONNECT_TIMEOUT, connect).await,
            Ok(Ok(_))
        )
    }

    /// Sends a piece of a file under its signed head.
    pub(crate) async fn put_slice(
        &self,
        path: &str,
        head: String,
        bytes: Vec<u8>,
    ) -> Result<Answer, TransportError> {
        let request = self
            .client
            .put(self.address(path))
            .header("content-type", "application/octet-stream")
            .header(HEAD, head)
            .body(bytes)
            .timeout(ANSWER_TIMEOUT);
        self.answer(request).await
    }

    async fn post_within(
        &self,
        path: &str,
        question: &impl Serialize,
        timeout: Duration,
    ) -> Result<Answer, TransportError> {
        let body = serde_json::to_vec(question)?;
        let request = self
            .client
            .post(self.address(path))
            .header(CONTENT_TYPE, "application/json")
            .timeout(timeout);
        let packed = match self.packs.load(Ordering::Relaxed) {
            true => packed(&body),
            false => None,
        };
        let request = match packed {
            Some(packed) => request.header(CONTENT_ENCODING, GZIP).body(packed),
            None => request.body(body),
        };
        self.answer(request).await
    }

    /// Sends a request and reads the whole answer.
    async fn answer(&self, request: RequestBuilder) -> Result<Answer, TransportError> {
        let mut response = request.send().await.map_err(failure)?;
        // An older hub does not say it, and one put back to an older version no
        // longer.
        self.packs.store(reads_packed(&response), Ordering::Relaxed);
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if body.len() + chunk.len() > ANSWER_LIMIT {
                return Err(TransportError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }
}

const GZIP: &str = "gzip";

fn reads_packed(response: &Response) -> bool {
    let told = response.headers().get_all(ACCEPT_ENCODING);
    told.iter()
        .any(|told| told.to_str().is_ok_and(|told| told.contains(GZIP)))
}

/// The bytes packed; nothing when that does not make them shorter.
fn packed(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < PACKED_FROM {
        return None;
    }
    let mut packer = GzEncoder::new(Vec::with_capacity(body.len() / 2), Compression::fast());
    // Writing to memory does not fail; if it did, the plain bytes would do.
    packer.write_all(body).ok()?;
    let packed = packer.finish().ok()?;
    (packed.len() < body.len()).then_some(packed)
}

/// An answer that is not HTTP comes from something that is not a hub; a
/// refused, lost or silent connection is a hub out of reach.
fn failure(error: reqwest::Error) -> TransportError {
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && io.kind() != std::io::ErrorKind::Other
        {
            return TransportError::Unreachable(error);
        }
        if cause.to_string().contains("invalid HTTP") {
            return TransportError::NotSuda;
        }
        source = cause.source();
    }
    TransportError::Unreachable(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_with_a_host_are_taken() {
        for good in ["http://127.0.0.1:8080", " https://hub.example/suda/ "] {
            assert!(parse_address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "hub.example",
            "ftp://hub",
            "http://",
            "http://u:p@hub",
            "127.0.0.1:8080",
        ] {
            assert!(
                matches!(parse_address(bad), Err(TransportError::Address)),
                "{bad}"
            );
        }
    }
}
