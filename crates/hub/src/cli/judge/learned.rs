//! `judge retrain` and `judge forget`: what the hub learns from its own cases.

use crate::cli::{CommandError, Output, unexpected};
use crate::place::Place;
use crate::running::{LocalAsk, LocalReply};

pub(super) async fn retrain(
    preview: bool,
    place: &Place,
    output: &Output,
) -> Result<(), CommandError> {
    let LocalReply::Trained(trained) = place.ask(LocalAsk::Retrain { preview }).await? else {
        return unexpected();
    };
    output.print(&trained, || {
        let report = &trained.report;
        let head = format!(
            "training {}: {:?}; {} confirmed cases, learned from {}, judged on {}",
            trained.version, report.decision, report.cases, report.learned_from, report.held_out
        );
        let figures = [
            ("candidate", report.candidate),
            ("in force ", report.in_force),
        ];
        let figures = figures.into_iter().filter_map(|(name, figures)| {
            let figures = figures?;
            Some(format!(
                "{name}  accuracy {:.3}  top 3 {:.3}  macro F1 {:.3}  calibration error {:.3}",
                figures.accuracy, figures.top3, figures.macro_f1, figures.calibration_error
            ))
        });
        let lines: Vec<String> = std::iter::once(head).chain(figures).collect();
        lines.join("\n")
    })
}

pub(super) async fn forget(
    complaint: String,
    place: &Place,
    output: &Output,
) -> Result<(), CommandError> {
    place.ask(LocalAsk::ForgetCase { complaint }).await?;
    let done = serde_json::json!({ "forgotten": true });
    output.print(&done, || {
        "it is not learned from any more; the next training replaces the model".to_owned()
    })
}
