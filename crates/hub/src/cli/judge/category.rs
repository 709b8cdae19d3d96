//! `judge train` and `judge predict`.

use std::fs;
use std::path::Path;

use serde::Serialize;
use suda_judge::learn::{Example, Model, train};

use super::table::Table;
use super::{Input, JudgeError, Lines};

pub(super) fn learn(input: &Input, label: &str, to: &Path) -> Result<(), JudgeError> {
    let table = input.read()?;
    let columns = table.columns(&input.text)?;
    let label = table.column(label)?;
    let cells: Vec<Vec<&str>> = table
        .rows
        .iter()
        .map(|row| Table::cells(row, &columns))
        .collect();
    let examples: Vec<Example<'_>> = table
        .rows
        .iter()
        .zip(&cells)
        .map(|(row, fields)| Example {
            fields,
            label: row.get(label).unwrap_or_default().trim(),
        })
        .filter(|example| !example.label.is_empty())
        .collect();
    let names: Vec<&str> = input.text.iter().map(String::as_str).collect();
    let model =
        train(&names, &examples).map_err(|error| JudgeError::Train(input.input.clone(), error))?;
    let bytes = model
        .to_bytes()
        .map_err(|error| JudgeError::Model(to.to_owned(), error))?;
    write(to, &bytes).map_err(|error| JudgeError::File(to.to_owned(), error))?;
    let learned = Learned {
        examples: examples.len(),
        labels: model.labels().len(),
        bytes: bytes.len(),
    };
    let mut lines = Lines::new(input.json);
    lines.print(&learned, || {
        let Learned {
            examples,
            labels,
            bytes,
        } = learned;
        format!("learned {labels} categories from {examples} rows; the model has {bytes} bytes")
    })?;
    lines.end()
}

#[derive(Serialize)]
struct Learned {
    examples: usize,
    labels: usize,
    bytes: usize,
}

/// A reader never sees half a model.
fn write(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    fs::write(&part, bytes)?;
    fs::rename(&part, to)
}

#[derive(Serialize)]
struct Predicted<'m> {
    id: String,
    label: &'m str,
    top3: Vec<(&'m str, f32)>,
    unsure: bool,
}

pub(super) fn predict(input: &Input, from: &Path) -> Result<(), JudgeError> {
    let bytes = fs::read(from).map_err(|error| JudgeError::File(from.to_owned(), error))?;
    let model = Model::parse(&bytes).map_err(|error| JudgeError::Model(from.to_owned(), error))?;
    if model.fields().len() != input.text.len() {
        let trained = model.fields().join(",");
        return Err(JudgeError::Columns {
            trained,
            given: input.text.len(),
        });
    }
    let table = input.read()?;
    let columns = table.columns(&input.text)?;
    let mut lines = Lines::new(input.json);
    for (number, row) in table.rows.iter().enumerate() {
        let mut found = model.classify(&Table::cells(row, &columns));
        found.ranked.truncate(3);
        let Some(&(label, p)) = found.ranked.first() else {
            continue;
        };
        let said = Predicted {
            id: table.id(number, &input.id),
            label,
            top3: found.ranked,
            unsure: found.unsure,
        };
        let note = if said.unsure { " (unsure)" } else { "" };
        lines.print(&said, || {
            format!("{}  {label}  {:.0} %{note}", said.id, p * 100.0)
        })?;
    }
    lines.end()
}
