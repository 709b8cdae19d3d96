//! Inserting many rows with few statements: in runs of few lengths, so that each
//! statement is prepared once.

use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite};

use super::{Tx, failed};
use crate::store::Result;

/// Rows that go in with one statement: the longest run that is left.
const RUNS: [usize; 5] = [256, 64, 16, 4, 1];

/// Inserts rows of so many columns: `insert` and what follows the values
/// around what `bind` binds of each.
pub async fn rows<T>(
    tx: &mut Tx<'_>,
    rows: &[T],
    (insert, behind): (&'static str, &'static str),
    mut bind: impl FnMut(&mut Separated<'_, Sqlite, &'static str>, &T),
) -> Result<()> {
    let mut left = rows;
    for run in RUNS {
        while let Some((some, rest)) = left.split_at_checked(run) {
            let mut query = QueryBuilder::<Sqlite>::new(insert);
            query.push_values(some, |mut line, row| bind(&mut line, row));
            query.push(behind);
            query.build().execute(&mut **tx).await.map_err(failed)?;
            left = rest;
        }
    }
    Ok(())
}
