//! What the benches need beside the ordinary calls: the raw bound that saving
//! is measured against, on the very settings of the store. Judges nothing.

use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use crate::desk::OpenError;
use crate::key::KeySource;
use crate::store::{FileError, Store, StoreError};

/// Bytes of a row of the raw bound.
const ROW: usize = 1024;

/// How long each of `count` durable, encrypted commits of a 1 KB row takes in
/// a database of its own under `dir`.
pub async fn raw_commits(dir: &Path, count: usize) -> Result<Vec<Duration>, OpenError> {
    let key = KeySource::File(dir.join("bench.key"))
        .load_or_create(Uuid::nil())
        .await?;
    let store = match Store::open(&dir.join("bench.db"), &key).await {
        Ok(store) => store,
        Err(FileError::Store(error)) => return Err(error.into()),
        Err(other) => return Err(StoreError::Malformed(Box::new(other)).into()),
    };
    let times = store.raw_commits(count, ROW).await?;
    store.close().await?;
    Ok(times)
}
