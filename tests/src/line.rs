//! A line between desks and hub as bad lines are: slow, with everything that
//! is sent queued in order, and cut at any byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::Failure;

/// What the line is given at once.
const PIECE: usize = 2048;
/// Pieces the line holds before senders wait: as a slow line's modem does.
const QUEUE: usize = 512;

/// Relays connections until it is dropped.
pub struct Line {
    pub url: String,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

struct State {
    to: String,
    /// Upwards, all connections together; 0 for as fast as it goes.
    bytes_per_s: u64,
    /// Connections still to be cut.
    cuts: AtomicU64,
    done: AtomicU64,
    /// Bytes given to the line and not yet through.
    waiting: AtomicU64,
    /// Bytes carried, both ways.
    carried: AtomicU64,
    /// Pieces that went upwards: a short question is one.
    asked: AtomicU64,
    dice: AtomicU64,
}

/// Bytes for one connection's far end.
struct Piece {
    bytes: Vec<u8>,
    to: mpsc::Sender<Vec<u8>>,
}

impl Line {
    /// A line to the hub at `to` (`http://…`). `cuts` connections are cut,
    /// each after a number of bytes drawn from `seed`.
    pub async fn start(to: &str, bytes_per_s: u64, cuts: u64, seed: u64) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.map_err(Failure::io("the line's address"))?;
        let address = listener.local_addr();
        let address = address.map_err(Failure::io("the line's address"))?;
        let state = Arc::new(State {
            to: to.trim_start_matches("http://").to_owned(),
            bytes_per_s,
            cuts: AtomicU64::new(cuts),
            done: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            carried: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            dice: AtomicU64::new(seed | 1),
        });
        let serving = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self {
            url: format!("http://{address}"),
            state,
            serving,
        })
    }

    /// Bytes that were sent upwards and are still on the line.
    pub fn waiting(&self) -> u64 {
        self.state.waiting.load(Ordering::SeqCst)
    }

    /// Bytes carried so far, both ways.
    pub fn carried(&self) -> u64 {
        self.state.carried.load(Ordering::SeqCst)
    }

    /// Pieces that went upwards so far; a short question is one.
    pub fn asked(&self) -> u64 {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// Connections cut so far.
    pub fn cut(&self) -> u64 {
        self.state.done.load(Ordering::SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let (queue, pieces) = mpsc::channel(QUEUE);
    let pacing = tokio::spawn(pace(pieces, Arc::clone(&state)));
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(relay(stream, Arc::clone(&state), queue.clone()));
    }
    pacing.abort();
}

/// The one line: what was given first goes first, whoever gave it.
async fn pace(mut pieces: mpsc::Receiver<Piece>, state: Arc<State>) {
    let mut free_at = tokio::time::Instant::now();
    while let Some(piece) = pieces.recv().await {
        let bytes = piece.bytes.len() as u64;
        if state.bytes_per_s > 0 {
            let takes = bytes as f64 / state.bytes_per_s as f64;
            free_at = free_at.max(tokio::time::Instant::now()) + Duration::from_secs_f64(takes);
            tokio::time::sleep_until(free_at).await;
        }
        state.waiting.fetch_sub(bytes, Ordering::SeqCst);
        // Its connection may have ended meanwhile.
        let _gone = piece.to.send(piece.bytes).await;
    }
}

async fn relay(near: TcpStream, state: Arc<State>, queue: mpsc::Sender<Piece>) {
    let Ok(far) = TcpStream::connect(&state.to).await else {
        return;
    };
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    let (to, arrived) = mpsc::channel(QUEUE);
    let delivering = tokio::spawn(deliver(arrived, far_out));
    let down = tokio::spawn(copy(far_in, near_out, Arc::clone(&state)));
    let was_cut = up(near_in, &state, &queue, to).await;
    if was_cut {
        state.done.fetch_add(1, Ordering::SeqCst);
        down.abort();
    }
    // What is on the line already still arrives.
    let _ended = delivering.await;
    down.abort();
}

/// Gives what the desk sends to the line. True when it was cut.
async fn up(
    mut from: OwnedReadHalf,
    state: &State,
    queue: &mpsc::Sender<Piece>,
    to: mpsc::Sender<Vec<u8>>,
) -> bool {
    let mut left = state.length();
    let mut buffer = vec![0; PIECE];
    loop {
        let most = left.map_or(PIECE, |left| left.min(PIECE));
        let read = from.read(buffer.get_mut(..most).unwrap_or_default()).await;
        let Ok(read @ 1..) = read else {
            return most == 0;
        };
        let bytes = buffer.get(..read).unwrap_or_default().to_vec();
        left = left.map(|left| left - read);
        let to = to.clone();
        state.waiting.fetch_add(read as u64, Ordering::SeqCst);
        state.asked.fetch_add(1, Ordering::SeqCst);
        state.carried.fetch_add(read as u64, Ordering::SeqCst);
        if queue.send(Piece { bytes, to }).await.is_err() {
            return false;
        }
    }
}

async fn deliver(mut arrived: mpsc::Receiver<Vec<u8>>, mut to: OwnedWriteHalf) {
    while let Some(bytes) = arrived.recv().await {
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: Arc<State>) {
    let mut buffer = vec![0; 16 * PIECE];
    // Ends with either side.
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        state.carried.fetch_add(read as u64, Ordering::SeqCst);
        let bytes = buffer.get(..read).unwrap_or_default();
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

impl State {
    /// How many bytes the next connection carries before it is cut.
    fn length(&self) -> Option<usize> {
        let take = |left: u64| left.checked_sub(1);
        let is_cut = self
            .cuts
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        is_cut.ok()?;
        // xorshift64*; draws test data, guards nothing.
        let mut dice = self.dice.load(Ordering::SeqCst);
        dice ^= dice >> 12;
        dice ^= dice << 25;
        dice ^= dice >> 27;
        self.dice.store(dice, Ordering::SeqCst);
        let drawn = dice.wrapping_mul(0x2545_f491_4f6c_dd1d) % (2 * 1024 * 1024);
        Some(usize::try_from(drawn).unwrap_or_default() + 1)
    }
}
