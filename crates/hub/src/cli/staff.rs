//! `suda-hub staff`: what an administrator sets of members of staff without
//! the console.

use std::io::BufRead as _;

use clap::Subcommand;
use suda_domain::intake::Language;
use suda_domain::texts::Mobile;

use super::{CommandError, Output};
use crate::place::Place;
use crate::running::LocalAsk;

#[derive(Subcommand)]
pub(super) enum StaffCommand {
    /// Set the mobile number that is texted when the member is told of a
    /// deadline. It is read from standard input, so that it stands in no list of
    /// processes; an empty line takes it away.
    DutyPhone {
        /// What they sign in with.
        login: String,
        /// In which language it is texted.
        #[arg(long, value_enum, default_value = "zh-cn")]
        language: Tongue,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Tongue {
    ZhCn,
    ZhTw,
    En,
}

impl StaffCommand {
    pub(super) async fn run(self) -> Result<(), CommandError> {
        let Self::DutyPhone {
            login,
            language,
            place,
            output,
        } = self;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        let given = line.trim();
        let phone = Mobile::read(given);
        if phone.is_none() && !given.is_empty() {
            return Err(CommandError::NotMobile);
        }
        let is_set = phone.is_some();
        let ask = LocalAsk::SetDutyPhone {
            login: login.clone(),
            phone,
            language: match language {
                Tongue::ZhCn => Language::ZhCn,
                Tongue::ZhTw => Language::ZhTw,
                Tongue::En => Language::En,
            },
        };
        place.ask(ask).await?;
        let done = serde_json::json!({ "login": login, "duty_phone": is_set });
        output.print(&done, || match is_set {
            true => format!("{login} is texted"),
            false => format!("{login} is not texted"),
        })
    }
}
