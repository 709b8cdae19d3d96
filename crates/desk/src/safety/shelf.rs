//! The folder with the backups: names, order, thinning out. A file under its
//! final name has passed its check; one still being made is called `.part`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};

use super::retention::{self, Taken};
use crate::place::sync_directory;

/// A folder with backups of one desk.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    dir: PathBuf,
}

/// A backup on the shelf.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    pub(crate) taken: Taken,
}

const STAMP: &str = "%Y%m%dT%H%M%SZ";
const SUFFIX: &str = ".db";
const PART: &str = ".part";
const BEFORE_MIGRATION: &str = "-schema";

impl Shelf {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The backups, the oldest first. None when there is no folder.
    pub(crate) fn list(&self) -> io::Result<Vec<Kept>> {
        let mut found = Vec::new();
        for path in self.files()? {
            if let Some(taken) = path.file_name().and_then(|name| read_name(name.to_str()?)) {
                found.push(Kept { path, taken });
            }
        }
        found.sort_unstable_by_key(|kept| kept.taken.number);
        Ok(found)
    }

    /// Makes the folder, and room for the next backup: removes what an earlier
    /// run left half made. Gives the path to write to; [`finish`](Self::finish)
    /// gives it its name.
    pub(crate) fn begin(&self, at: DateTime<Utc>, schema: Option<usize>) -> io::Result<PathBuf> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir)?;
        for path in self.files()? {
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_some_and(|name| name.contains(PART)) {
                fs::remove_file(path)?;
            }
        }
        let last = self.list()?.last().map_or(0, |kept| kept.taken.number);
        let before = schema.map_or(String::new(), |n| format!("{BEFORE_MIGRATION}{n}"));
        let name = format!("{:06}-{}{before}{SUFFIX}{PART}", last + 1, at.format(STAMP));
        Ok(self.dir.join(name))
    }

    /// Gives a checked backup its final name, and removes those no longer to
    /// be kept.
    pub(crate) fn finish(&self, part: &Path) -> io::Result<PathBuf> {
        let done = part.with_extension("");
        fs::rename(part, &done)?;
        sync_directory(&self.dir)?;
        let all = self.list()?;
        let taken: Vec<Taken> = all.iter().map(|kept| kept.taken).collect();
        let keep = retention::kept(&taken);
        for old in all.iter().filter(|old| !keep.contains(&old.taken.number)) {
            fs::remove_file(&old.path)?;
        }
        Ok(done)
    }

    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        entries.map(|entry| Ok(entry?.path())).collect()
    }
}

/// `000012-20260721T093000Z.db`, before a migration `…Z-schema4.db`.
fn read_name(name: &str) -> Option<Taken> {
    let (number, rest) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    let (at, before_migration) = match rest.split_once(BEFORE_MIGRATION) {
        Some((at, _)) => (at, true),
        None => (rest, false),
    };
    Some(Taken {
        number: number.parse().ok()?,
        at: NaiveDateTime::parse_from_str(at, STAMP).ok()?.and_utc(),
        before_migration,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + minute * 60, 0).unwrap()
    }

    #[test]
    fn names_are_read_back_and_half_made_ones_are_no_backups() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path().join("backups"));
        assert_eq!(shelf.list().unwrap(), []);
        let first = shelf.begin(at(0), None).unwrap();
        fs::write(&first, "1").unwrap();
        assert_eq!(shelf.list().unwrap(), []);
        // A crash here leaves it half made; the next removes it.
        let second = shelf.begin(at(1), Some(4)).unwrap();
        assert!(!first.exists());
        fs::write(&second, "2").unwrap();
        shelf.finish(&second).unwrap();
        let third = shelf.begin(at(2), None).unwrap();
        fs::write(&third, "3").unwrap();
        let done = shelf.finish(&third).unwrap();
        let kept = shelf.list().unwrap();
        assert_eq!(kept.len(), 1, "the copy before the migration has gone");
        assert_eq!(kept[0].path, done);
        assert_eq!(kept[0].taken.number, 2);
        assert_eq!(kept[0].taken.at, at(2));
    }
}
