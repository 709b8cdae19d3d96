//! The commands about evidence files: add, list, save.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use suda_domain::{ComplaintId, EvidenceKind, ReferenceNumber};

use super::{Failure, Place, run};
use crate::backlog::ReadError;
use crate::desk::Desk;
use crate::evidence::EvidenceSource;
use crate::store::barrier::Reader;
use crate::store::complaints;
use crate::view::{EvidenceDelivery, EvidenceView};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add files to a complaint; their contents go to the hub by themselves.
    Add {
        #[command(flatten)]
        place: Place,
        reference: String,
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// What they show [default: by their contents].
        #[arg(long, value_enum)]
        kind: Option<KindChoice>,
        /// Add in the name of this login [default: the branch manager's].
        #[arg(long = "as", value_name = "LOGIN")]
        login: Option<String>,
        /// A JSON object a file.
        #[arg(long)]
        json: bool,
    },
    /// The files of a complaint, and how far they are at the hub.
    List {
        #[command(flatten)]
        place: Place,
        reference: String,
        /// A JSON object a file.
        #[arg(long)]
        json: bool,
    },
    /// Write the contents of a file to a new file.
    Save {
        #[command(flatten)]
        place: Place,
        reference: String,
        /// Its number in the list, from 1.
        number: usize,
        file: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum KindChoice {
    Photo,
    Scan,
    Audio,
    Signature,
    Other,
}

impl From<KindChoice> for EvidenceKind {
    fn from(choice: KindChoice) -> Self {
        match choice {
            KindChoice::Photo => Self::Photo,
            KindChoice::Scan => Self::Scan,
            KindChoice::Audio => Self::Audio,
            KindChoice::Signature => Self::Signature,
            KindChoice::Other => Self::Other,
        }
    }
}

pub(super) async fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Add {
            place,
            reference,
            files,
            kind,
            login,
            json,
        } => {
            let desk = run::open(&place).await?;
            let kind = kind.map(EvidenceKind::from);
            let added = add(&desk, &reference, files, kind, login.as_deref(), json).await;
            desk.close().await?;
            added
        }
        Command::List {
            place,
            reference,
            json,
        } => list(&place, &reference, json).await,
        Command::Save {
            place,
            reference,
            number,
            file,
        } => save(&place, &reference, number, &file).await,
    }
}

/// Each file by itself: one that cannot be added does not keep the others out.
async fn add(
    desk: &Desk,
    reference: &str,
    files: Vec<PathBuf>,
    kind: Option<EvidenceKind>,
    login: Option<&str>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let id = find(desk, reference).await?;
    let session = desk.session_of(login)?;
    let mut code = ExitCode::SUCCESS;
    for (number, file) in (1..).zip(files) {
        let source = EvidenceSource::File(file);
        match desk.add_evidence(&session, id, source, kind).await {
            Ok(view) => write_line(&view, number, json)?,
            Err(error) => {
                let said = super::sentence(&error);
                eprintln!("suda-desk: file {number}: {said}");
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

async fn list(place: &Place, reference: &str, json: bool) -> Result<ExitCode, Failure> {
    let desk = Desk::open_reading(&place.data, place.key()).await?;
    let id = find(&desk, reference).await?;
    for (number, view) in (1..).zip(desk.inner.evidence(id).await?) {
        write_line(&view, number, json)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn save(
    place: &Place,
    reference: &str,
    number: usize,
    file: &Path,
) -> Result<ExitCode, Failure> {
    let desk = Desk::open_reading(&place.data, place.key()).await?;
    let id = find(&desk, reference).await?;
    let views = desk.inner.evidence(id).await?;
    let view = number.checked_sub(1).and_then(|place| views.get(place));
    let view = view.ok_or("there is no file of this number")?;
    desk.save_evidence(id, view.id, file.to_owned()).await?;
    Ok(ExitCode::SUCCESS)
}

async fn find(desk: &Desk, reference: &str) -> Result<ComplaintId, Failure> {
    let number: ReferenceNumber = reference.parse()?;
    let mut conn = desk.inner.store.read().await?;
    let found = complaints::by_reference(&mut conn, &number, &Reader::anybody()).await?;
    Ok(found.ok_or(ReadError::NotFound)?.complaint.id)
}

fn write_line(view: &EvidenceView, number: u32, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(view)?)?;
        return Ok(());
    }
    let bytes = view.bytes;
    let (media_type, name) = (&view.media_type, &view.name);
    let how_far = match view.delivery {
        EvidenceDelivery::SavedHere => "here".to_owned(),
        EvidenceDelivery::Partly => format!("{} % at hub", view.received * 100 / bytes.max(1)),
        EvidenceDelivery::AtHub => "at hub".to_owned(),
        EvidenceDelivery::Elsewhere => "elsewhere".to_owned(),
    };
    writeln!(
        out,
        "{number:>3} {bytes:>10} {media_type:<16} {how_far:<12} {name}"
    )?;
    Ok(())
}
