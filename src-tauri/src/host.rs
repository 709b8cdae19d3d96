//! What the shell holds while it runs: the open desk, or why it could not be
//! opened, and who is signed in.

use std::path::PathBuf;
use std::sync::PoisonError;

use suda_desk::{Desk, KeySource, OpenError, Session};
use tokio::sync::{Mutex, RwLock};

use crate::error::{AppError, ErrorCode};

/// Who is at the counter.
enum Seat {
    Empty,
    Taken(Session),
    /// Signed in, and somebody's password is needed again.
    Locked,
}

pub struct Host {
    data: PathBuf,
    key: KeySource,
    desk: std::sync::RwLock<Result<Desk, OpenError>>,
    /// Held while the data directory is tried again.
    opening: Mutex<()>,
    seat: RwLock<Seat>,
}

impl Host {
    pub async fn open(data: PathBuf, key: KeySource) -> Self {
        let desk = Desk::open(&data, key.clone()).await;
        Self {
            data,
            key,
            desk: std::sync::RwLock::new(desk),
            opening: Mutex::default(),
            seat: RwLock::new(Seat::Empty),
        }
    }

    /// Tries again what failed when the program started, as another program
    /// may have ended or the disk may have room now. True when the desk was
    /// opened by this call.
    pub async fn open_again(&self) -> Result<bool, AppError> {
        let _only_one = self.opening.lock().await;
        if self.desk().is_ok() {
            return Ok(false);
        }
        let desk = Desk::open(&self.data, self.key.clone()).await;
        *self.desk.write().unwrap_or_else(PoisonError::into_inner) = desk;
        self.desk().map(|_| true)
    }

    /// The desk, also before anybody is signed in.
    pub fn desk(&self) -> Result<Desk, AppError> {
        let desk = self.desk.read().unwrap_or_else(PoisonError::into_inner);
        desk.as_ref().map(Desk::clone).map_err(AppError::from)
    }

    /// The desk and who is signed in and not locked out.
    pub async fn signed_in(&self) -> Result<(Desk, Session), AppError> {
        let desk = self.desk()?;
        match &*self.seat.read().await {
            Seat::Taken(session) => Ok((desk, session.clone())),
            Seat::Locked => Err(AppError::state(ErrorCode::Locked)),
            Seat::Empty => Err(AppError::state(ErrorCode::SignedOut)),
        }
    }

    pub async fn session(&self) -> Option<Session> {
        match &*self.seat.read().await {
            Seat::Taken(session) => Some(session.clone()),
            Seat::Locked | Seat::Empty => None,
        }
    }

    pub async fn take_seat(&self, session: Session) {
        *self.seat.write().await = Seat::Taken(session);
    }

    pub async fn lock(&self) {
        let mut seat = self.seat.write().await;
        if let Seat::Taken(_) = *seat {
            *seat = Seat::Locked;
        }
    }

    pub async fn sign_out(&self) {
        *self.seat.write().await = Seat::Empty;
    }
}
