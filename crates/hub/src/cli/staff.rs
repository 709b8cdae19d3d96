//! `suda-hub staff`: who works here, and who stands directly above whom. That
//! line is what recusal needs: whom a complaint is about and everybody above
//! them can neither see nor handle it.

use std::io::BufRead as _;

use clap::Subcommand;
use suda_domain::intake::Language;
use suda_domain::texts::Mobile;
use suda_domain::{BranchCode, Role};

use super::{CommandError, Output, unexpected};
use crate::place::Place;
use crate::running::{LocalAsk, LocalReply};
use crate::staffing::StaffLine;

#[derive(Subcommand)]
pub(crate) enum StaffCommand {
    /// List everybody with their role, branch and direct superior. With
    /// --json one object a line.
    List {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Add a member of staff; prints a password once.
    Add {
        /// What they type to sign in.
        login: String,
        /// Their name, as others read it.
        name: String,
        /// clerk, branch_manager, expert, department, management, auditor or
        /// administrator.
        #[arg(long, value_parser = role)]
        role: Role,
        /// The branch of a clerk or branch manager.
        #[arg(long, value_name = "CODE")]
        branch: Option<BranchCode>,
        /// The login of who stands directly above them. A complaint about them
        /// is then neither seen nor handled by that superior, nor by anybody
        /// above.
        #[arg(long, value_name = "LOGIN")]
        superior: Option<String>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Say who stands directly above a member of staff, or that nobody does.
    Superior {
        /// Whose superior it is.
        login: String,
        /// The superior's login; left out, nobody stands above them.
        superior: Option<String>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
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
pub(crate) enum Tongue {
    ZhCn,
    ZhTw,
    En,
}

fn role(name: &str) -> Result<Role, String> {
    let known = Role::ALL.into_iter().filter(|role| role.signs_in());
    let mut known = known.collect::<Vec<_>>().into_iter();
    known
        .find(|role| role.name() == name)
        .ok_or_else(|| format!("nobody is a {name}"))
}

impl StaffCommand {
    pub(crate) async fn run(self) -> Result<(), CommandError> {
        match self {
            Self::List { place, output } => {
                let LocalReply::Staff { staff } = place.ask(LocalAsk::Staff).await? else {
                    return unexpected();
                };
                for one in &staff {
                    output.print(one, || line(one))?;
                }
                Ok(())
            }
            Self::Add {
                login,
                name,
                role,
                branch,
                superior,
                place,
                output,
            } => {
                let ask = LocalAsk::AddStaff {
                    login,
                    name: suda_domain::text::clean(&name),
                    role,
                    branch,
                    superior,
                };
                let LocalReply::StaffAdded {
                    line: added,
                    password,
                } = place.ask(ask).await?
                else {
                    return unexpected();
                };
                let mut object = serde_json::to_value(&added)?;
                object["password"] = serde_json::to_value(&password)?;
                output.print(&object, || {
                    format!(
                        "added {}; the password is shown only now: {}",
                        added.login,
                        password.as_deref().unwrap_or("-")
                    )
                })
            }
            Self::Superior {
                login,
                superior,
                place,
                output,
            } => {
                let ask = LocalAsk::SetSuperior {
                    login: login.clone(),
                    superior: superior.clone(),
                };
                place.ask(ask).await?;
                let done = serde_json::json!({ "login": login, "superior": superior });
                output.print(&done, || match &superior {
                    Some(above) => format!("{above} stands directly above {login}"),
                    None => format!("nobody stands above {login}"),
                })
            }
            Self::DutyPhone {
                login,
                language,
                place,
                output,
            } => set_duty_phone(login, language, &place, &output).await,
        }
    }
}

async fn set_duty_phone(
    login: String,
    language: Tongue,
    place: &Place,
    output: &Output,
) -> Result<(), CommandError> {
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

fn line(one: &StaffLine) -> String {
    let state = if one.active { "" } else { " (closed)" };
    format!(
        "{:<16} {:<15} {:<10} {:<16} {}{state}",
        one.login,
        one.role.name(),
        one.branch.as_ref().map_or("-", BranchCode::as_str),
        one.superior.as_deref().unwrap_or("-"),
        one.name
    )
}
