//! The files' rows.

use std::path::Path;

use crate::Failure;

/// A CSV file with a header.
pub struct Table {
    header: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    pub fn read(dir: &Path, file: &str) -> Result<Self, Failure> {
        let path = dir.join(file);
        let mut reader = csv::Reader::from_path(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let header = reader.headers()?.iter().map(str::to_owned).collect();
        let rows = reader.records().collect::<Result<_, _>>()?;
        Ok(Self { header, rows })
    }

    /// One column's cells.
    pub fn column(&self, name: &str) -> Result<Vec<&str>, Failure> {
        let place = self.header.iter().position(|column| column == name);
        let place = place.ok_or_else(|| format!("no column {name}"))?;
        Ok(self
            .rows
            .iter()
            .map(|row| row.get(place).unwrap_or_default())
            .collect())
    }
}
