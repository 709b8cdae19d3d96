//! What the shell holds while it runs: the open desk, or why it could not be
//! opened, and who is signed in.

use std::path::Path;

use suda_desk::{Desk, KeySource, OpenError, Session};
use tokio::sync::RwLock;

use crate::error::{AppError, ErrorCode};

/// Who is at the counter.
enum Seat {
    Empty,
    Taken(Session),
    /// Signed in, and somebody's password is needed again.
    Locked,
}

pub struct Host {
    desk: Result<Desk, OpenError>,
    seat: RwLock<Seat>,
}

impl Host {
    pub async fn open(data: &Path, key: KeySource) -> Self {
        let desk = Desk::open(data, key).await;
        if let Err(error) = &desk {
            tracing::error!(%error, "the data directory cannot be opened");
        }
        Self {
            desk,
            seat: RwLock::new(Seat::Empty),
        }
    }

    /// The desk, also before anybody is signed in.
    pub fn desk(&self) -> Result<&Desk, AppError> {
        self.desk.as_ref().map_err(AppError::from)
    }

    /// The desk and who is signed in and not locked out.
    pub async fn signed_in(&self) -> Result<(&Desk, Session), AppError> {
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
