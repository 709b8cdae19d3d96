//! A CSV file in memory, with errors that name line and column.

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use csv::{ByteRecord, ReaderBuilder, StringRecord};

/// Why a file's rows cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("{}", file.display())]
    Open {
        file: PathBuf,
        source: std::io::Error,
    },
    #[error("{}: line {line}: {reason}", file.display())]
    Line {
        file: PathBuf,
        line: u64,
        reason: String,
    },
    #[error("{}: line {line}, column {column}: {reason}", file.display())]
    Cell {
        file: PathBuf,
        line: u64,
        column: String,
        reason: &'static str,
    },
    #[error("{}: line 1: there is no column {column}; there are {there}", file.display())]
    NoColumn {
        file: PathBuf,
        column: String,
        there: String,
    },
    #[error("{}: line 1: the header is missing", file.display())]
    NoHeader { file: PathBuf },
}

pub(super) struct Table {
    file: PathBuf,
    header: StringRecord,
    pub rows: Vec<StringRecord>,
}

impl Table {
    pub fn read(file: &Path) -> Result<Self, TableError> {
        let bytes = std::fs::read(file).map_err(|source| TableError::Open {
            file: file.to_owned(),
            source,
        })?;
        // Excel writes a byte order mark before UTF-8.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let mut reader = ReaderBuilder::new().from_reader(bytes);
        let broken = |error: &csv::Error| TableError::Line {
            file: file.to_owned(),
            line: error.position().map_or(1, csv::Position::line),
            reason: match error.kind() {
                csv::ErrorKind::UnequalLengths {
                    expected_len, len, ..
                } => {
                    format!("{len} columns, but the header has {expected_len}")
                }
                _ => "not readable as CSV".to_owned(),
            },
        };
        let names = reader
            .byte_headers()
            .map_err(|error| broken(&error))?
            .clone();
        let header = text(file, &names, None, 1)?;
        if header.iter().all(str::is_empty) {
            return Err(TableError::NoHeader {
                file: file.to_owned(),
            });
        }
        let mut rows = Vec::new();
        for record in reader.byte_records() {
            let record = record.map_err(|error| broken(&error))?;
            let line = record.position().map_or(0, csv::Position::line);
            let mut row = text(file, &record, Some(&header), line)?;
            row.set_position(record.position().cloned());
            rows.push(row);
        }
        Ok(Self {
            file: file.to_owned(),
            header,
            rows,
        })
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> Result<usize, TableError> {
        self.place(name).ok_or_else(|| TableError::NoColumn {
            file: self.file.clone(),
            column: name.to_owned(),
            there: self.header.iter().collect::<Vec<_>>().join(", "),
        })
    }

    pub fn place(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    pub fn columns(&self, names: &[String]) -> Result<Vec<usize>, TableError> {
        names.iter().map(|name| self.column(name)).collect()
    }

    /// The cells of one row in the order of `columns`.
    pub fn cells<'t>(row: &'t StringRecord, columns: &[usize]) -> Vec<&'t str> {
        columns
            .iter()
            .map(|&column| row.get(column).unwrap_or_default())
            .collect()
    }

    /// What names a row: the cell of the column, or the row's number from 1.
    pub fn id(&self, number: usize, name: &str) -> String {
        let cell = self
            .rows
            .get(number)
            .and_then(|row| row.get(self.place(name)?));
        cell.map_or_else(|| (number + 1).to_string(), str::to_owned)
    }

    /// A row's moment as it is written there.
    pub fn time(&self, row: &StringRecord, column: usize) -> Result<NaiveDateTime, TableError> {
        let cell = row.get(column).unwrap_or_default().trim();
        moment(cell).ok_or_else(|| TableError::Cell {
            file: self.file.clone(),
            line: row.position().map_or(0, csv::Position::line),
            column: self.header.get(column).unwrap_or_default().to_owned(),
            reason: "this is no time such as 2026-07-21 09:30:00",
        })
    }
}

/// Names the first cell that is not UTF-8.
fn text(
    file: &Path,
    record: &ByteRecord,
    header: Option<&StringRecord>,
    line: u64,
) -> Result<StringRecord, TableError> {
    let mut row = StringRecord::new();
    for (number, cell) in record.iter().enumerate() {
        let cell = std::str::from_utf8(cell).map_err(|_| TableError::Cell {
            file: file.to_owned(),
            line,
            column: header
                .and_then(|names| names.get(number))
                .map_or_else(|| (number + 1).to_string(), str::to_owned),
            reason: "not UTF-8",
        })?;
        row.push_field(cell);
    }
    Ok(row)
}

fn moment(cell: &str) -> Option<NaiveDateTime> {
    const FORMS: [&str; 6] = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
        "%Y/%m/%d %H:%M:%S",
        "%Y/%m/%d %H:%M",
    ];
    let with_time = FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(cell, form).ok());
    let with_offset = || {
        DateTime::parse_from_rfc3339(cell)
            .ok()
            .map(|time| time.naive_local())
    };
    let date = || {
        let forms = ["%Y-%m-%d", "%Y/%m/%d"];
        let date = forms
            .iter()
            .find_map(|form| NaiveDate::parse_from_str(cell, form).ok())?;
        date.and_hms_opt(0, 0, 0)
    };
    with_time.or_else(with_offset).or_else(date)
}
