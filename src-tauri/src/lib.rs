//! The desk's shell: the window, its commands, desktop notifications. No rule
//! and no SQL here: a command takes the session, calls the desk, and returns a
//! typed answer or a typed error.

mod commands;
mod error;
mod host;
mod notify;
mod pulse;

use std::path::PathBuf;

use suda_desk::KeySource;
use tauri::{Manager as _, RunEvent};
use tauri_specta::{Builder, collect_commands, collect_events};

pub use crate::error::{AppError, ErrorCode, Tone};
use crate::host::Host;

/// Where the desk's data are and where its key comes from.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory; the user's application data when absent.
    pub data: Option<PathBuf>,
    pub key: KeySource,
}

/// The commands and events of the window, from which the TypeScript bindings
/// are generated.
pub fn bindings() -> Builder<tauri::Wry> {
    Builder::new()
        // What is written and what is read have one shape: every field stands in both.
        .disable_serde_phases()
        .commands(collect_commands![
            commands::account::open_again,
            commands::account::enrolment,
            commands::account::enrol,
            commands::account::staff,
            commands::account::sign_in,
            commands::account::session,
            commands::account::lock,
            commands::account::sign_out,
            commands::intake::draft_open,
            commands::intake::draft_save,
            commands::intake::drafts,
            commands::intake::draft_discard,
            commands::intake::advise,
            commands::intake::twins,
            commands::intake::twins_elsewhere,
            commands::intake::record,
            commands::intake::receipt,
            commands::intake::categories,
            commands::intake::guidance,
            commands::cases::cases,
            commands::cases::case_view,
            commands::cases::search,
            commands::cases::answer_suggestions,
            commands::cases::settle,
            commands::cases::hand_off,
            commands::cases::note,
            commands::cases::reply,
            commands::cases::withdraw,
            commands::cases::status,
            commands::cases::print_page,
            commands::bundle::bundle_export,
            commands::bundle::bundle_receipts,
            commands::cases::assign,
            commands::cases::take_over,
            commands::cases::other_desks,
            commands::cases::take_over_all,
            commands::backups::backups,
            commands::backups::choose_second_place,
            commands::lan::lan,
            commands::lan::lan_serve,
            commands::lan::lan_code,
            commands::lan::lan_find,
            commands::lan::lan_pair,
            commands::lan::lan_leave,
            commands::lan::lan_end,
            commands::evidence::evidence,
            commands::evidence::evidence_begin,
            commands::evidence::evidence_piece,
            commands::evidence::evidence_end,
            commands::evidence::evidence_remove,
            commands::evidence::evidence_contents,
        ])
        .events(collect_events![
            pulse::Changed,
            pulse::Prompt,
            pulse::OpenCase
        ])
}

/// Opens the window and runs until it is closed.
///
/// # Errors
/// When the window system cannot be used.
pub fn run(options: Options) -> tauri::Result<()> {
    let bindings = bindings();
    tauri::Builder::default()
        .plugin(tauri_plugin_notification::init())
        .invoke_handler(bindings.invoke_handler())
        .setup(move |app| {
            bindings.mount_events(app);
            let data = match options.data {
                Some(data) => data,
                None => app.path().app_local_data_dir()?,
            };
            let host = tauri::async_runtime::block_on(Host::open(data, options.key));
            app.manage(host);
            app.manage(commands::evidence::Arriving::default());
            notify::listen(app.handle());
            pulse::start(app.handle());
            Ok(())
        })
        .build(tauri::generate_context!())?
        .run(|app, event| {
            if let RunEvent::Exit = event
                && let Ok(desk) = app.state::<Host>().desk()
                && let Err(error) = tauri::async_runtime::block_on(desk.close())
            {
                tracing::warn!(%error, "the database was not closed in good order");
            }
        });
    Ok(())
}
