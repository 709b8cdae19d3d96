//! `suda-hub sms`: how customers are told by SMS, and what became of it.

use std::fmt::Write as _;
use std::path::{PathBuf, absolute};

use chrono::NaiveTime;
use clap::Subcommand;
use uuid::Uuid;

use super::{CommandError, Output, unexpected};
use crate::place::Place;
use crate::running::{LocalAsk, LocalReply};
use crate::sms::report::{SmsOutbox, SmsRow};
use crate::sms::settings::{SmppSettings, SmsBy, SmsChange, SmsSettings};

#[derive(Subcommand)]
pub(super) enum SmsCommand {
    /// How texts are sent.
    Show {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Write each text to a file instead of sending it.
    UseFile {
        /// Instead of sms.jsonl in the data directory.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Send texts through an SMS centre that speaks SMPP 3.4.
    UseSmpp {
        #[arg(long)]
        host: String,
        #[arg(long, default_value_t = 2775)]
        port: u16,
        #[arg(long, value_name = "ID")]
        system_id: String,
        /// A file with the password, 8 characters at most, that the hub's
        /// account can read. It is read at every connection and copied nowhere.
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
        /// What texts come from and are answered to; the centre's choice if absent.
        #[arg(long, default_value = "", value_name = "NUMBER")]
        source: String,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Change when texts are sent, and how many.
    Set {
        /// From then on only answers are sent, as 21:00.
        #[arg(long, value_name = "TIME", value_parser = clock)]
        quiet_from: Option<NaiveTime>,
        /// Until then, as 08:00.
        #[arg(long, value_name = "TIME", value_parser = clock)]
        quiet_to: Option<NaiveTime>,
        /// Texts a minute at most.
        #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
        per_minute: Option<u32>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// The newest texts, with what became of each.
    Outbox {
        /// Only those that fail.
        #[arg(long)]
        failing: bool,
        #[arg(long, default_value_t = 100, value_name = "COUNT",
              value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Send a text that failed or was given up after all.
    Retry {
        id: Uuid,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Note that a text that failed or was given up was seen to otherwise.
    Dismiss {
        id: Uuid,
        /// How.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Send every text that is held since the hub was put back.
    ReleaseHeld {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Discard every text that is held since the hub was put back.
    DiscardHeld {
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
}

fn clock(text: &str) -> Result<NaiveTime, chrono::ParseError> {
    NaiveTime::parse_from_str(text, "%H:%M")
}

impl SmsCommand {
    pub(super) async fn run(self) -> Result<(), CommandError> {
        match self {
            Self::Show { place, output } => {
                let reply = place.ask(LocalAsk::SmsSettings).await?;
                show(reply, &output)
            }
            Self::UseFile {
                file,
                place,
                output,
            } => {
                let path = file.map(absolute).transpose()?;
                use_way(SmsBy::File { path }, &place, &output).await
            }
            Self::UseSmpp {
                host,
                port,
                system_id,
                password_file,
                source,
                place,
                output,
            } => {
                let by = SmsBy::Smpp(SmppSettings {
                    host,
                    port,
                    system_id,
                    password_file: absolute(password_file)?,
                    source,
                });
                use_way(by, &place, &output).await
            }
            Self::Set {
                quiet_from,
                quiet_to,
                per_minute,
                place,
                output,
            } => {
                let change = SmsChange {
                    by: None,
                    quiet_from,
                    quiet_to,
                    per_minute,
                };
                let reply = place.ask(LocalAsk::ChangeSms { change }).await?;
                show(reply, &output)
            }
            Self::Outbox {
                failing,
                limit,
                place,
                output,
            } => {
                let reply = place.ask(LocalAsk::SmsOutbox { failing, limit }).await?;
                let LocalReply::SmsOutbox(outbox) = reply else {
                    return unexpected();
                };
                list(&outbox, &output)
            }
            Self::Retry { id, place, output } => {
                place.ask(LocalAsk::RetrySms { id }).await?;
                let done = serde_json::json!({ "id": id });
                output.print(&done, || format!("{id} is sent again"))
            }
            Self::Dismiss {
                id,
                reason,
                place,
                output,
            } => {
                place.ask(LocalAsk::DismissSms { id, reason }).await?;
                let done = serde_json::json!({ "id": id });
                output.print(&done, || format!("{id} was seen to otherwise"))
            }
            Self::ReleaseHeld { place, output } => {
                let reply = place.ask(LocalAsk::ReleaseHeldSms).await?;
                counted(reply, &output, "sent")
            }
            Self::DiscardHeld {
                reason,
                place,
                output,
            } => {
                let reply = place.ask(LocalAsk::DiscardHeldSms { reason }).await?;
                counted(reply, &output, "discarded")
            }
        }
    }
}

fn counted(reply: LocalReply, output: &Output, what: &str) -> Result<(), CommandError> {
    let LocalReply::Count { count } = reply else {
        return unexpected();
    };
    let done = serde_json::json!({ "count": count });
    output.print(&done, || format!("{count} held texts are {what}"))
}

async fn use_way(by: SmsBy, place: &Place, output: &Output) -> Result<(), CommandError> {
    let change = SmsChange {
        by: Some(by),
        ..SmsChange::default()
    };
    let reply = place.ask(LocalAsk::ChangeSms { change }).await?;
    show(reply, output)
}

fn show(reply: LocalReply, output: &Output) -> Result<(), CommandError> {
    let LocalReply::SmsSettings(settings) = reply else {
        return unexpected();
    };
    output.print(&settings, || {
        let SmsSettings {
            by,
            quiet_from,
            quiet_to,
            per_minute,
            ..
        } = &settings;
        let way = match by {
            SmsBy::File { path: None } => "sms.jsonl in the data directory".to_owned(),
            SmsBy::File { path: Some(path) } => path.display().to_string(),
            SmsBy::Smpp(smpp) => format!(
                "SMPP {}:{} as {}, password from {}",
                smpp.host,
                smpp.port,
                smpp.system_id,
                smpp.password_file.display()
            ),
        };
        format!(
            "texts go to   {way}\nquiet         {} to {}, answers excepted\nat most       {per_minute} a minute",
            quiet_from.format("%H:%M"),
            quiet_to.format("%H:%M")
        )
    })
}

/// One JSON object a line, or a table.
fn list(outbox: &SmsOutbox, output: &Output) -> Result<(), CommandError> {
    if output.json {
        return outbox
            .rows
            .iter()
            .try_for_each(|row| output.print(row, String::new));
    }
    output.print(outbox, || {
        let (way, failing) = (&outbox.way, &outbox.failing);
        let mut text = format!("{} failing", failing.count);
        if failing.alarm {
            text.push_str(", one for more than 30 minutes");
        }
        // Writing to a string does not fail.
        let _written = write!(text, "\n{} wait because their way fails", way.count);
        if way.alarm {
            text.push_str(", for more than 30 minutes");
        }
        let _written = write!(text, "\n{} held since the hub was put back", outbox.held);
        for row in &outbox.rows {
            // Writing to a string does not fail.
            let _written = write!(text, "\n{}", line(row));
        }
        text
    })
}

fn line(row: &SmsRow) -> String {
    format!(
        "{} {} {:<10} {:<14} {:<14} {:<24} {}",
        row.made_at.format("%Y-%m-%d %H:%MZ"),
        row.id,
        row.state.name(),
        row.template.name(),
        row.to,
        row.reference.as_deref().unwrap_or("-"),
        row.error.as_deref().unwrap_or_default()
    )
}
