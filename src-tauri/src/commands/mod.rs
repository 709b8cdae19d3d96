//! What the window may ask for. Thin: the session, one call of the desk, a
//! typed answer.

pub mod account;
pub mod backups;
pub mod bundle;
pub mod cases;
pub mod evidence;
pub mod intake;
pub mod lan;

use crate::error::AppError;

pub type Answer<T> = Result<T, AppError>;
