//! Desktop notifications. They carry the reference number and the minute, no
//! personal data; a click opens the complaint.

use suda_desk::view::PromptView;
use suda_domain::ComplaintId;
use suda_domain::escalation::Level;
use tauri::{AppHandle, Manager as _};
use tauri_plugin_notification::NotificationExt as _;
use tauri_specta::Event as _;

use crate::pulse::{OpenCase, Prompt};

const EXTRA: &str = "complaint";

/// Tells the window and the desktop of a prompt.
pub fn show(app: &AppHandle, prompt: &PromptView) {
    if let Err(error) = Prompt(prompt.clone()).emit(app) {
        tracing::warn!(%error, "the window could not be told of a reminder");
    }
    let (title, body) = words(prompt);
    let shown = app
        .notification()
        .builder()
        .title(title)
        .body(body)
        .extra(EXTRA, prompt.id)
        .show();
    if let Err(error) = shown {
        tracing::warn!(%error, "a desktop notification could not be shown");
    }
}

/// Both languages in one line each: a notification is shown whoever is signed in.
fn words(prompt: &PromptView) -> (String, String) {
    let reference = &prompt.reference;
    if let Some(escalation) = &prompt.escalation {
        let (zh, en) = match escalation.level {
            Level::Remind => ("催办", "Reminder"),
            Level::Copy => ("逾期，已抄送店长", "Overdue, copied to the manager"),
            Level::Report => ("逾期，已上报管理层", "Overdue, reported to management"),
        };
        return (
            format!("{zh} · {en}  {reference}"),
            "请打开投诉查看时限。Open the complaint to see its deadlines.".to_owned(),
        );
    }
    if prompt.handed_off {
        (
            format!("已自动转派 · Handed off  {reference}"),
            "一小时将到，已自动转派专家团队。The hour was running out; the experts have it."
                .to_owned(),
        )
    } else {
        (
            format!(
                "{} 分钟未处理 · {} min  {reference}",
                prompt.minutes, prompt.minutes
            ),
            "请当场处理或转派专家。Settle it or hand it off.".to_owned(),
        )
    }
}

/// From now on a click on a notification opens its complaint.
pub fn listen(app: &AppHandle) {
    let handle = app.clone();
    let registered = app.notification().on_action(move |performed| {
        let clicked = serde_json::to_value(performed).ok();
        let id = clicked.as_ref().and_then(complaint_of);
        if let Some(id) = id {
            open(&handle, id);
        }
    });
    if let Err(error) = registered {
        tracing::warn!(%error, "clicks on notifications cannot be followed");
    }
}

fn complaint_of(performed: &serde_json::Value) -> Option<ComplaintId> {
    let id = performed.pointer("/notification/extra")?.get(EXTRA)?;
    serde_json::from_value(id.clone()).ok()
}

fn open(app: &AppHandle, id: ComplaintId) {
    if let Some(window) = app.get_webview_window("main") {
        for result in [window.unminimize(), window.show(), window.set_focus()] {
            if let Err(error) = result {
                tracing::warn!(%error, "the window could not be brought to the front");
            }
        }
    }
    if let Err(error) = OpenCase(id).emit(app) {
        tracing::warn!(%error, "the window could not be told which complaint to open");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_names_its_complaint_and_anything_else_none() {
        let id = "0192f0c1-0000-7000-8000-000000000001";
        let click = serde_json::json!({
            "actionId": "tap", "notification": { "id": 1, "extra": { "complaint": id } }
        });
        assert_eq!(
            complaint_of(&click).map(|c| c.to_string()).as_deref(),
            Some(id)
        );
        assert_eq!(complaint_of(&serde_json::json!({})), None);
    }
}
