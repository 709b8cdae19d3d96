//! Between the desks and the hub: passes every question on, and loses the
//! answers it is told to lose after the hub has given them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use suda_sync::{Reply, Signed};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::Failure;

/// Loses answers until `left` is used up.
pub struct Proxy {
    pub url: String,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

struct State {
    hub: String,
    client: reqwest::Client,
    /// Receipts still to be lost.
    left: AtomicU64,
    lost: AtomicU64,
    /// Every second receipt is lost.
    turn: AtomicU64,
}

/// The answer was lost: the connection ends without one.
#[derive(Debug, thiserror::Error)]
#[error("the answer was lost")]
struct Lost;

impl Proxy {
    pub async fn start(hub: String, lose: u64) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(Failure::io("the proxy's address"))?;
        let address = listener
            .local_addr()
            .map_err(Failure::io("the proxy's address"))?;
        let state = Arc::new(State {
            hub,
            client: reqwest::Client::builder().no_proxy().build()?,
            left: AtomicU64::new(lose),
            lost: AtomicU64::new(0),
            turn: AtomicU64::new(0),
        });
        let serving = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self {
            url: format!("http://{address}"),
            state,
            serving,
        })
    }

    pub fn lost(&self) -> u64 {
        self.state.lost.load(Ordering::SeqCst)
    }

    /// From now on so many more are lost.
    pub fn lose(&self, more: u64) {
        self.state.left.store(more, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&state)));
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { state.pass(request).await }
    });
    // Ends with an error whenever an answer was lost; that is its purpose.
    let _ended = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl State {
    async fn pass(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Lost> {
        let path = request.uri().path().to_owned();
        let question = request.into_body().collect().await.map_err(|_| Lost)?;
        let answer = self
            .client
            .post(format!("{}{path}", self.hub))
            .header("content-type", "application/json")
            .body(question.to_bytes())
            .send()
            .await;
        let (status, body) = match answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                (status, answer.bytes().await.map_err(|_| Lost)?)
            }
            Err(_) => return Err(Lost),
        };
        if is_receipt(&body) && self.is_to_be_lost() {
            self.lost.fetch_add(1, Ordering::SeqCst);
            return Err(Lost);
        }
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = StatusCode::from_u16(status).map_err(|_| Lost)?;
        let json = hyper::header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        Ok(response)
    }

    fn is_to_be_lost(&self) -> bool {
        if self.turn.fetch_add(1, Ordering::SeqCst) % 2 == 1 {
            return false;
        }
        let take = |left: u64| left.checked_sub(1);
        self.left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
            .is_ok()
    }
}

/// Whether the hub has stored a batch and says so.
fn is_receipt(body: &[u8]) -> bool {
    let signed: Option<Signed> = serde_json::from_slice(body).ok();
    let reply = signed.and_then(|signed| signed.peek::<Reply>().ok());
    matches!(reply, Some(Reply::Receipt(_)))
}
