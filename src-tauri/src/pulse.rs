//! The events the window is told of, and the tasks that send them: changes in
//! the store, reminders, and the sync that runs while the window is open.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use suda_desk::view::PromptView;
use suda_desk::{Change, Desk};
use suda_domain::ComplaintId;
use tauri::{AppHandle, Manager as _, async_runtime};
use tauri_specta::Event as _;
use tokio::sync::broadcast::error::RecvError;

use crate::host::Host;
use crate::notify;

/// How often reminders and automatic handoffs are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// Something in the store has changed; the views ask again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct Changed {
    pub what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Cases,
    Status,
    Directory,
}

/// A reminder is due, or the desk has handed a complaint off by itself.
#[derive(Clone, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct Prompt(pub PromptView);

/// A notification was clicked: show this complaint.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct OpenCase(pub ComplaintId);

/// Starts the tasks, when there is a desk to watch.
pub fn start(app: &AppHandle) {
    let host = app.state::<Host>();
    let Ok(desk) = host.desk() else {
        return;
    };
    async_runtime::spawn(tell_changes(app.clone(), desk.clone()));
    async_runtime::spawn(sweep(app.clone(), desk.clone()));
    let kept = desk.clone();
    async_runtime::spawn(async move { kept.keep_backups().await });
    async_runtime::spawn(async move { desk.sync_forever(std::future::pending()).await });
}

async fn tell_changes(app: AppHandle, desk: Desk) {
    let mut changes = desk.changes();
    loop {
        let what = match changes.recv().await {
            Ok(Change::Cases) => What::Cases,
            Ok(Change::Status) => What::Status,
            Ok(Change::Directory) => What::Directory,
            // Too many at once to tell one by one: the views ask for everything anyway.
            Err(RecvError::Lagged(_)) => What::Cases,
            Err(RecvError::Closed) => return,
        };
        if let Err(error) = (Changed { what }).emit(&app) {
            tracing::warn!(%error, "the window could not be told of a change");
        }
    }
}

async fn sweep(app: AppHandle, desk: Desk) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        every.tick().await;
        match desk.sweep().await {
            Ok(prompts) => prompts.iter().for_each(|prompt| notify::show(&app, prompt)),
            Err(error) => tracing::error!(%error, "reminders could not be looked for"),
        }
    }
}
