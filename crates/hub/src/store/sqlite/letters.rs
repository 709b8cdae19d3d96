//! The files of written answers.

use async_trait::async_trait;
use futures::TryStreamExt as _;
use sqlx::SqliteConnection;
use suda_domain::{ComplaintId, Letter, LetterId};
use suda_sync::evidence::sha256;
use uuid::Uuid;

use super::directory::{find_setting, put_setting};
use super::value::{int, json, ms};
use super::{SqliteStore, begin, failed};
use crate::letters::settings::LetterSettings;
use crate::store::checks::letter_fault;
use crate::store::letters::{LETTERS, LetterFile, LetterStore};
use crate::store::{Fault, Result};

#[async_trait]
impl LetterStore for SqliteStore {
    async fn letter_settings(&self) -> Result<LetterSettings> {
        let mut reader = self.reader().await?;
        let set = find_setting(&mut reader, LETTERS).await?;
        Ok(set.unwrap_or_default())
    }

    async fn put_letter_settings(&self, settings: &LetterSettings) -> Result<()> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        put_setting(&mut tx, LETTERS, settings).await?;
        tx.commit().await.map_err(failed)
    }

    async fn add_letter(&self, file: &LetterFile) -> Result<()> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        sqlx::query(
            "INSERT INTO letter (id, complaint, cycle, kind, language, sha256, bytes, made_at, \
             data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        )
        .bind(file.letter.id.0)
        .bind(file.complaint.0)
        .bind(i64::from(file.cycle))
        .bind(file.letter.kind.name())
        .bind(json(&file.letter.language)?)
        .bind(&file.letter.sha256)
        .bind(int(file.letter.bytes))
        .bind(ms(file.made_at))
        .bind(&file.data)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn letter_file(&self, id: LetterId) -> Result<Option<(ComplaintId, Vec<u8>)>> {
        let mut reader = self.reader().await?;
        let row: Option<(Uuid, Vec<u8>)> =
            sqlx::query_as("SELECT complaint, data FROM letter WHERE id = ?")
                .bind(id.0)
                .fetch_optional(&mut *reader)
                .await
                .map_err(failed)?;
        Ok(row.map(|(complaint, data)| (ComplaintId(complaint), data)))
    }

    async fn keep_only_letter(
        &self,
        complaint: ComplaintId,
        cycle: u32,
        letter: &Letter,
    ) -> Result<()> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        sqlx::query(
            "DELETE FROM letter WHERE complaint = ? AND cycle = ? AND kind = ? AND language = ? \
             AND id <> ?",
        )
        .bind(complaint.0)
        .bind(i64::from(cycle))
        .bind(letter.kind.name())
        .bind(json(&letter.language)?)
        .bind(letter.id.0)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)
    }
}

/// Compares the files with the hashes in the ledger; the rows of complaints are
/// known to say what it says.
pub async fn check(connection: &mut SqliteConnection) -> Result<Option<Fault>> {
    let mut files = sqlx::query_as::<_, (String, String, String, Option<Vec<u8>>)>(
        "SELECT complaint.reference, named.value ->> '$.letter.id', \
         named.value ->> '$.letter.sha256', file.data \
         FROM complaint JOIN json_each(complaint.body, '$.letters') AS named \
         LEFT JOIN letter AS file \
           ON file.id = unhex(replace(named.value ->> '$.letter.id', '-', '')) \
         ORDER BY complaint.id",
    )
    .fetch(connection);
    while let Some((reference, id, named, data)) = files.try_next().await.map_err(failed)? {
        let hash = data.map(|data| sha256(&data).to_string());
        if let Some(fault) = letter_fault(&reference, &id, &named, hash) {
            return Ok(Some(fault));
        }
    }
    Ok(None)
}
