//! Recording the rows of a file, each as the form would: cleaned, checked,
//! assessed by the rules. Rows are committed in groups, and told only then.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::FixedOffset;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use suda_domain::fact::{HandoffCause, Source};
use suda_domain::intake::{Field, Problem, ProblemCode};
use suda_domain::{Actor, ComplaintId, Complexity, Intake, ReferenceNumber};
use suda_sync::Hash;
use uuid::Uuid;

use crate::clock::to_ms;
#[cfg(feature = "fuzzing")]
pub use crate::csv_read::read_through;
use crate::csv_read::{Column, Row, Table, parse_amount, parse_time};
pub use crate::csv_read::{Columns, TableError};
use crate::desk::{Desk, Enrolled};
use crate::record::{Entry, RecordError, problems};
use crate::session::SessionError;
use crate::store::imports::RunId;
use crate::store::{StoreError, WriteTx, complaints, imports};
use crate::unsent::entry::ImportedFrom;
use crate::view::Assessment;

/// Which rows go to the experts at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum HandoffChoice {
    All,
    /// Those the rules judge complex.
    #[default]
    Suggested,
    None,
}

#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    pub columns: Columns,
    pub handoff: HandoffChoice,
    /// Go on with the last import of the same file.
    pub resume: bool,
    /// In whose name; without it the branch manager's, else the first clerk's.
    pub login: Option<String>,
}

/// A row that is recorded and on the disk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ImportedRow {
    /// From 1, the header not counted.
    pub row: u64,
    pub reference: ReferenceNumber,
    pub id: ComplaintId,
}

/// A row that was not recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadImportRow {
    pub row: u64,
    /// Where it begins in the file.
    pub line: u64,
    pub reason: RowError,
}

/// Why a row was not recorded. Never holds what stands in the row.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RowError {
    #[error("it has {found} cells where the header has {wanted}; is a quote missing?")]
    TooManyCells { found: usize, wanted: usize },
    #[error(
        "it has {found} cells where the header has {wanted}; is it cut off, or a quote missing?"
    )]
    TooFewCells { found: usize, wanted: usize },
    #[error("a quote is not closed, so that the rest of the file was taken for this row")]
    OpenQuote,
    #[error("some bytes are no text in the file's encoding")]
    Garbled,
    #[error("the time cannot be read; write it like 2026-07-21 09:30")]
    Time,
    #[error("the amount cannot be read")]
    Amount,
    #[error("{}", describe(.0))]
    Problems(Vec<Problem>),
}

fn describe(problems: &[Problem]) -> String {
    let each = problems.iter().map(|problem| {
        let field = match problem.field {
            Field::Description => "the text",
            Field::RemedySought => "the remedy sought",
            Field::ArrivedAt => "the time of arrival",
            Field::Phone => "the phone number",
            Field::Email => "the e-mail address",
            Field::Name => "the name",
            Field::Account => "the account",
            Field::Category => "the category",
            Field::Amount => "the amount",
            _ => "a field",
        };
        match (problem.code, problem.limit) {
            (ProblemCode::Required, _) => format!("{field} is missing"),
            (ProblemCode::TooLong, Some(limit)) => {
                format!("{field} is longer than {limit} characters")
            }
            (ProblemCode::InTheFuture, _) => format!("{field} lies in the future"),
            _ => format!("{field} is not valid"),
        }
    });
    each.collect::<Vec<_>>().join("; ")
}

/// What an import tells while it goes on.
#[derive(Debug)]
pub enum ImportEvent {
    Recorded(ImportedRow),
    Bad(BadImportRow),
    /// Everything told before is on the disk; so much of the file is done.
    Committed {
        bytes: u64,
        of: u64,
    },
}

/// What an import did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ImportReport {
    pub recorded: u64,
    /// By an earlier, interrupted import of the same file.
    pub known: u64,
    pub bad: u64,
}

/// Why an import ended early. What was told as recorded is recorded.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{} cannot be read", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("nobody of this branch has that login")]
    NobodyToActFor,
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Rows and time after which a group is committed.
const GROUP_ROWS: usize = 200;
const GROUP_TIME: Duration = Duration::from_millis(50);
/// What stands for a remedy the file does not tell.
const NO_REMEDY: &str = "（未说明）";

impl Desk {
    /// Records every row of a CSV file. `tell` hears of each row once it is
    /// on the disk, or why it is not recorded.
    pub async fn import(
        &self,
        file: &Path,
        options: &ImportOptions,
        mut tell: impl FnMut(ImportEvent),
    ) -> Result<ImportReport, ImportError> {
        let enrolled = self.inner.enrolled()?;
        let session = self
            .session_of(options.login.as_deref())
            .map_err(|_| ImportError::NobodyToActFor)?;
        let actor = enrolled.actor(&session)?;
        let bytes = tokio::fs::read(file)
            .await
            .map_err(|source| ImportError::File {
                path: file.to_owned(),
                source,
            })?;
        let hash: [u8; 32] = Sha256::digest(&bytes).into();
        let table = Table::read(&bytes, &options.columns)?;
        drop(bytes);
        let (run, known) = self.run_of(hash, options.resume).await?;
        let now = self.inner.now();
        let mut import = Import {
            desk: self,
            enrolled: &enrolled,
            actor: &actor,
            table: &table,
            handoff: options.handoff,
            civil: enrolled.keep.zone_at(now).offset_at(now),
            run,
            hash,
            report: ImportReport::default(),
        };
        import.rows(&known, &mut tell).await?;
        let mut tx = self.inner.store.begin().await?;
        imports::finish(tx.conn(), run).await?;
        tx.commit().await?;
        Ok(import.report)
    }

    async fn run_of(
        &self,
        file: [u8; 32],
        resume: bool,
    ) -> Result<(RunId, HashMap<u64, ComplaintId>), StoreError> {
        let mut tx = self.inner.store.begin().await?;
        let earlier = match resume {
            true => imports::latest(tx.conn(), file).await?,
            false => None,
        };
        let run = match earlier {
            Some(run) => run,
            None => imports::begin(tx.conn(), file, to_ms(self.inner.now())).await?,
        };
        let known = imports::rows(tx.conn(), run).await?;
        tx.commit().await?;
        Ok((run, known))
    }
}

struct Import<'a> {
    desk: &'a Desk,
    enrolled: &'a Enrolled,
    actor: &'a Actor,
    table: &'a Table,
    handoff: HandoffChoice,
    civil: FixedOffset,
    run: RunId,
    hash: [u8; 32],
    report: ImportReport,
}

/// The rows of one transaction, until it is committed.
struct Group<'a> {
    tx: WriteTx<'a>,
    since: Instant,
    rows: Vec<ImportedRow>,
}

impl Import<'_> {
    async fn rows(
        &mut self,
        known: &HashMap<u64, ComplaintId>,
        tell: &mut impl FnMut(ImportEvent),
    ) -> Result<(), ImportError> {
        let desk = self.desk;
        let mut group: Option<Group<'_>> = None;
        let mut reached = 0;
        for row in self.table.rows().filter(|row| !row.is_blank()) {
            reached = row.byte;
            if known.contains_key(&row.number) {
                self.report.known += 1;
                continue;
            }
            let entry = match self.entry(&row) {
                Ok(entry) => entry,
                Err(reason) => {
                    self.report.bad += 1;
                    tell(ImportEvent::Bad(BadImportRow {
                        row: row.number,
                        line: row.line,
                        reason,
                    }));
                    continue;
                }
            };
            let open = match &mut group {
                Some(open) => open,
                None => group.insert(Group {
                    tx: desk.inner.store.begin().await?,
                    since: Instant::now(),
                    rows: Vec::with_capacity(GROUP_ROWS),
                }),
            };
            self.write(open, row.number, entry).await?;
            if open.rows.len() >= GROUP_ROWS || open.since.elapsed() >= GROUP_TIME {
                self.commit(group.take(), reached, tell).await?;
            }
        }
        self.commit(group, reached.max(self.table.bytes()), tell)
            .await
    }

    async fn write(
        &self,
        group: &mut Group<'_>,
        row: u64,
        entry: Entry,
    ) -> Result<(), ImportError> {
        let id = entry.id;
        let inner = &self.desk.inner;
        let stamp = inner.stamp();
        let written = inner
            .compose(&mut group.tx, self.enrolled, self.actor, stamp, entry)
            .await?;
        complaints::record(group.tx.conn(), &written.row, &written.events).await?;
        let row_of = ImportedFrom {
            file: Hash(self.hash),
            line: row,
        };
        group.tx.keep(&written.events, Some(row_of));
        imports::add_row(group.tx.conn(), self.run, row, id).await?;
        group.rows.push(ImportedRow {
            row,
            reference: written.row.complaint.reference,
            id,
        });
        Ok(())
    }

    async fn commit(
        &mut self,
        group: Option<Group<'_>>,
        bytes: u64,
        tell: &mut impl FnMut(ImportEvent),
    ) -> Result<(), ImportError> {
        let Some(mut group) = group else {
            return Ok(());
        };
        group.tx.take_over().await?;
        group.tx.commit().await?;
        self.desk.inner.tell_written();
        let rows = group.rows.len() as u64;
        self.desk
            .inner
            .tally
            .count(|counts| counts.rows_imported += rows);
        self.report.recorded += rows;
        for row in group.rows {
            tell(ImportEvent::Recorded(row));
        }
        tell(ImportEvent::Committed {
            bytes,
            of: self.table.bytes(),
        });
        Ok(())
    }

    /// The row as a complaint ready to be written.
    fn entry(&self, row: &Row) -> Result<Entry, RowError> {
        let wanted = self.table.width();
        if row.cells() > wanted {
            return Err(RowError::TooManyCells {
                found: row.cells(),
                wanted,
            });
        }
        if self.table.is_open_at_end(row) {
            return Err(RowError::OpenQuote);
        }
        if row.cells() < wanted {
            return Err(RowError::TooFewCells {
                found: row.cells(),
                wanted,
            });
        }
        if row.is_garbled() {
            return Err(RowError::Garbled);
        }
        let now = self.desk.inner.now();
        let given = match self.table.cell(row, Column::ReceivedAt).trim() {
            "" => None,
            text => Some(parse_time(text, self.civil).ok_or(RowError::Time)?),
        };
        let mut intake = self.intake(row)?;
        let held = self.desk.inner.models.in_use(&self.enrolled.directory);
        let model = held.as_ref().map(|held| held.versioned());
        let suggestion = self.enrolled.suggest(&intake, model, 0);
        let suggestion = match (&intake.category, &suggestion.category) {
            (given, Some(category)) if given.is_empty() => {
                intake.category.clone_from(category);
                suggestion
            }
            (given, None) if given.is_empty() => {
                // With the category settled, rules that look at it have their say.
                let fallback = &self.enrolled.rules.fallback_category;
                intake.category.clone_from(fallback);
                self.enrolled.suggest(&intake, model, 0)
            }
            _ => suggestion,
        };
        let found = problems(self.enrolled, &intake, given, now);
        if !found.is_empty() {
            return Err(RowError::Problems(found));
        }
        let to_experts = match self.handoff {
            HandoffChoice::All => true,
            HandoffChoice::Suggested => suggestion.complexity == Complexity::Complex,
            HandoffChoice::None => false,
        };
        Ok(Entry {
            id: ComplaintId(Uuid::now_v7()),
            about: None,
            assessment: Assessment {
                grade: suggestion.grade,
                complexity: suggestion.complexity,
                override_reason: None,
                about: None,
            },
            suggestion: suggestion.trace(),
            intake,
            // Within the tolerance for slow clocks it may lie a little ahead.
            arrived_at: given.unwrap_or(now).min(now),
            late: given.is_some_and(|at| at < now),
            source: Source::Import,
            handoff: to_experts.then_some(HandoffCause::Import),
        })
    }

    fn intake(&self, row: &Row) -> Result<Intake, RowError> {
        let cell = |column| self.table.cell(row, column).to_owned();
        let text = cell(Column::Text);
        let title = cell(Column::Title).trim().to_owned();
        let description = if title.is_empty() || text.contains(&title) {
            text
        } else {
            format!("{title}\n{text}")
        };
        let amount_minor = match cell(Column::Amount).trim() {
            "" => None,
            text => Some(parse_amount(text).ok_or(RowError::Amount)?),
        };
        let mut intake = Intake {
            name: cell(Column::Name),
            phone: cell(Column::Phone),
            email: cell(Column::Email),
            account: cell(Column::Account),
            category: self.category(&cell(Column::Category)),
            remedy_sought: cell(Column::Remedy),
            description,
            amount_minor,
            ..Intake::default()
        }
        .cleaned();
        if intake.remedy_sought.is_empty() {
            intake.remedy_sought = NO_REMEDY.to_owned();
        }
        intake.anonymous = intake.phone.is_empty() && intake.email.is_empty();
        Ok(intake)
    }

    /// A category by its code or one of its names; others are left to the rules.
    fn category(&self, text: &str) -> String {
        let text = text.trim();
        let tree = &self.enrolled.directory.categories;
        let found = tree
            .nodes
            .iter()
            .find(|node| node.code == text || node.zh == text || node.en == text)
            .filter(|node| tree.is_leaf(&node.code));
        found.map(|node| node.code.clone()).unwrap_or_default()
    }
}
