//! How the domain's values stand in the tables: times as milliseconds UTC,
//! ids and hashes as their bytes, whole complaints as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use suda_domain::{BranchCode, Lane};
use suda_sync::{Hash, SealedEvent};

use crate::store::{Result, StoreError};

pub fn ms(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

pub fn time(ms: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms)
        .ok_or_else(|| StoreError::Damaged(format!("{ms} is not a time")))
}

pub fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

pub fn number(number: i64) -> Result<u32> {
    u32::try_from(number).map_err(|_| StoreError::Damaged(format!("{number} is not a count")))
}

pub fn hash(bytes: &[u8]) -> Result<Hash> {
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_| StoreError::Damaged("a hash has not 32 bytes".into()))?;
    Ok(Hash(bytes))
}

pub fn branch(code: String) -> Result<BranchCode> {
    BranchCode::try_from(code).map_err(|error| StoreError::Damaged(error.to_string()))
}

pub fn lane(number: i64) -> Result<Lane> {
    u8::try_from(number)
        .ok()
        .and_then(|number| Lane::try_from(number).ok())
        .ok_or_else(|| StoreError::Damaged(format!("{number} is not a lane")))
}

pub fn sealed(body: String, prev: &[u8], of: &[u8]) -> Result<SealedEvent> {
    SealedEvent::from_parts(body, hash(prev)?, hash(of)?)
        .map_err(|error| StoreError::Damaged(error.to_string()))
}

pub fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(Box::new(error)))
}

pub fn parsed<T: DeserializeOwned>(text: &str) -> Result<T> {
    // The position is enough to find it; the text itself may be personal.
    serde_json::from_str(text).map_err(|error| {
        StoreError::Damaged(format!(
            "JSON at line {} column {}",
            error.line(),
            error.column()
        ))
    })
}

/// A desk's letters by how many the branch had before: A, B, … Z, AA, AB, …
pub fn letters(index: i64) -> String {
    let mut left = index + 1;
    let mut reversed = Vec::new();
    while left > 0 {
        left -= 1;
        let letter = u8::try_from(left % 26).unwrap_or_default();
        reversed.push(char::from(b'A' + letter));
        left /= 26;
    }
    reversed.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn desks_are_lettered_like_columns() {
        assert_eq!(
            [0, 1, 25, 26, 27, 701, 702].map(letters),
            ["A", "B", "Z", "AA", "AB", "ZZ", "AAA"]
        );
    }
}
