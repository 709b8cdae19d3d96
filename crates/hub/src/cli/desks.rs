//! `suda-hub desks`: what the console's screen of the desks shows, as a table.

use suda_sync::statistics::DeskStanding;

use super::{CommandError, Output, unexpected};
use crate::desks::DeskRow;
use crate::place::Place;
use crate::running::{LocalAsk, LocalReply};

pub(super) async fn desks(place: &Place, output: &Output) -> Result<(), CommandError> {
    let reply = place.ask(LocalAsk::Desks).await?;
    let LocalReply::Desks(report) = reply else {
        return unexpected();
    };
    output.print(&report, || {
        let head = format!(
            "{:<14} {:<17} {:<10} {:>6} {:>6} {:>9} {:>7}  ATTENTION",
            "DESK", "LAST CONTACT", "VERSION", "TODAY", "WEEK", "OFFLINE_S", "UNCLEAN"
        );
        let rows = report.desks.iter().map(line);
        std::iter::once(head)
            .chain(rows)
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// Forms saved today and in seven days, and what was counted against it.
fn line(desk: &DeskRow) -> String {
    let name = format!("{}-{}", desk.branch, desk.letter);
    let contact = desk.last_contact.map_or_else(
        || "never".to_owned(),
        |at| at.format("%Y-%m-%d %H:%MZ").to_string(),
    );
    let version = desk
        .standing
        .as_ref()
        .map(|DeskStanding { version, .. }| version.as_str());
    let reasons: Vec<_> = desk.attention.iter().map(|reason| reason.name()).collect();
    format!(
        "{name:<14} {contact:<17} {:<10} {:>6} {:>6} {:>9} {:>7}  {}",
        version.unwrap_or("-"),
        desk.today.forms_saved,
        desk.week.forms_saved,
        desk.week.offline_s,
        desk.week.unclean_ends,
        reasons.join(" ")
    )
}
