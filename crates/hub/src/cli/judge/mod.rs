//! `suda-hub judge`: what the judging crate says of the rows of a CSV file,
//! where no hub is needed and none is asked; and what a hub learns itself.

mod alarms;
mod category;
mod learned;
mod table;
mod texts;

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use suda_judge::RuleSetError;
use suda_judge::learn::{ModelError, TrainError};

use self::table::{Table, TableError};
use super::{CommandError, Output};
use crate::place::Place;

#[derive(Subcommand)]
pub enum JudgeCommand {
    /// Learn categories from rows that have one.
    Train {
        #[command(flatten)]
        input: Input,
        /// The column with the category; rows without one are left out.
        #[arg(long, value_name = "COLUMN")]
        label: String,
        /// The file to write the model to; an older one is replaced.
        #[arg(long, value_name = "FILE")]
        model: PathBuf,
    },
    /// Say of each row what category it probably is.
    Predict {
        #[command(flatten)]
        input: Input,
        #[arg(long, value_name = "FILE")]
        model: PathBuf,
    },
    /// Say of each row how grave it is, and by which rules.
    Grade {
        #[command(flatten)]
        input: Input,
        /// A rule file instead of the general rules for grades.
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
        /// In which language reasons are given.
        #[arg(long, value_enum, default_value = "zh-cn")]
        language: Language,
    },
    /// Say what other rules would change for past complaints.
    DryRun {
        #[command(flatten)]
        input: Input,
        /// The rule file in force.
        #[arg(long, value_name = "FILE")]
        old: PathBuf,
        /// The rule file to be tried.
        #[arg(long, value_name = "FILE")]
        new: PathBuf,
    },
    /// Name for each row the most similar other rows.
    Similar {
        #[command(flatten)]
        input: Input,
        /// How many at most.
        #[arg(long, default_value_t = 5, value_name = "N")]
        top: usize,
    },
    /// Tell of matters that several people report, each from the rows up to
    /// its time.
    Bursts {
        #[command(flatten)]
        input: Input,
        /// The column with the time: 2026-07-21 09:30:00, also without seconds
        /// or time, also with T and offset.
        #[arg(long, value_name = "COLUMN")]
        time: String,
    },
    /// Tell of days with more rows than to be expected.
    Surge {
        /// A CSV file in UTF-8 with a header.
        #[arg(long, value_name = "FILE")]
        input: PathBuf,
        /// The column with the time.
        #[arg(long, value_name = "COLUMN")]
        time: String,
        /// Count each value of this column by itself.
        #[arg(long, value_name = "COLUMN")]
        by: Option<String>,
        /// Holidays and make-up workdays: a CSV file with the columns date and
        /// kind (holiday or makeup_workday).
        #[arg(long, value_name = "FILE")]
        calendar: Option<PathBuf>,
        /// Print one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Let the hub learn now from its confirmed cases.
    Retrain {
        /// Only tell what it would change.
        #[arg(long)]
        preview: bool,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Never learn from a case again; the next training replaces the model.
    Forget {
        /// Its reference number or id.
        #[arg(long, value_name = "REFERENCE")]
        complaint: String,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
}

/// A CSV file and what to read of it.
#[derive(Args)]
pub struct Input {
    /// A CSV file in UTF-8 with a header.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The columns with the text, the title first.
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        default_value = "title,text"
    )]
    text: Vec<String>,
    /// The column that names a row; without such a column rows have numbers
    /// from 1.
    #[arg(long, value_name = "COLUMN", default_value = "id")]
    id: String,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Language {
    ZhCn,
    ZhTw,
    En,
}

/// Why judging failed.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("nothing can be learned from {}", .0.display())]
    Train(PathBuf, #[source] TrainError),
    #[error("{}", .0.display())]
    Model(PathBuf, #[source] ModelError),
    #[error("{}", .0.display())]
    File(PathBuf, #[source] io::Error),
    #[error("the model reads the columns {trained}; --text names {given}")]
    Columns { trained: String, given: usize },
    #[error("the grade rules are not usable")]
    Grades(#[from] RuleSetError),
    #[error("{}", .0.display())]
    RuleFile(PathBuf, #[source] RuleSetError),
    #[error("standard output")]
    Output(#[from] io::Error),
    #[error("the result cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl JudgeCommand {
    pub(super) async fn run(self) -> Result<(), CommandError> {
        let done = match self {
            Self::Retrain {
                preview,
                place,
                output,
            } => return learned::retrain(preview, &place, &output).await,
            Self::Forget {
                complaint,
                place,
                output,
            } => return learned::forget(complaint, &place, &output).await,
            Self::Train {
                input,
                label,
                model,
            } => category::learn(&input, &label, &model),
            Self::Predict { input, model } => category::predict(&input, &model),
            Self::Grade {
                input,
                rules,
                language,
            } => texts::grade(&input, rules.as_deref(), language),
            Self::DryRun { input, old, new } => texts::compare(&input, &old, &new),
            Self::Similar { input, top } => texts::similar(&input, top),
            Self::Bursts { input, time } => alarms::bursts(&input, &time),
            Self::Surge {
                input,
                time,
                by,
                calendar,
                json,
            } => {
                let calendar = calendar.as_deref();
                alarms::surge(&input, &time, by.as_deref(), calendar, json)
            }
        };
        Ok(done?)
    }
}

impl Input {
    fn read(&self) -> Result<Table, TableError> {
        Table::read(&self.input)
    }
}

/// Lines of results, as JSON or as text.
struct Lines {
    out: io::BufWriter<io::StdoutLock<'static>>,
    json: bool,
}

impl Lines {
    fn new(json: bool) -> Self {
        Self {
            out: io::BufWriter::new(io::stdout().lock()),
            json,
        }
    }

    fn print(
        &mut self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), JudgeError> {
        let line = if self.json {
            serde_json::to_string(value)?
        } else {
            text()
        };
        Ok(writeln!(self.out, "{line}")?)
    }

    fn end(mut self) -> Result<(), JudgeError> {
        Ok(self.out.flush()?)
    }
}
