//! The hub's identity and settings, branches, staff, guidance, sign-ins.

use crate::store::barred::KnownLines;
use crate::store::time::{
    CompiledTime, DERIVATION, DERIVED, POLICY, TIME, TIME_CHANGES, TimeChange,
};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, SqliteConnection};
use std::sync::Arc;
use suda_domain::guidance::Guidance;
use suda_domain::staff::StaffRecord;
use suda_domain::time::{TimeRules, Timekeeping};
use suda_domain::{BranchCode, DeviceId, Lines, Role, StaffId};
use suda_sync::SecretKey;

use super::value::{branch, json, ms, number, parsed};
use super::{
    SqliteStore, Tx, barred, begin, derive, failed, is_foreign_key_violation, is_unique_violation,
};
use crate::store::{
    AddError, Beginning, Branch, Directory, Identity, Result, Settings, StoreError, Touched,
};

/// The columns of a [`StaffRow`].
macro_rules! staff_columns {
    () => {
        "SELECT id, login, name, role, branch, password_hash, active, superior FROM staff"
    };
}

pub const HUB: &str = "hub";
const KEY: &str = "key";
const ORGANISATION: &str = "organisation";
const STATUS_URL: &str = "status_url";
pub const DIRECTORY: &str = "directory";
const RULES: &str = "rules";

/// Who writes the hub's own lane.
#[derive(Serialize, Deserialize)]
pub struct HubPlace {
    pub device: DeviceId,
    pub incarnation: u32,
    pub epoch: String,
    /// When the hub was put back to an earlier moment for the last time. Absent
    /// from hubs that never were.
    #[serde(default)]
    pub restored_at: Option<DateTime<Utc>>,
}

#[async_trait]
impl Directory for SqliteStore {
    async fn begin(&self, beginning: &Beginning) -> Result<(), AddError> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        if find_setting::<HubPlace>(&mut tx, HUB).await?.is_some() {
            return Err(AddError::AlreadyInitialised);
        }
        let identity = &beginning.identity;
        put_place(
            &mut tx,
            &HubPlace {
                device: identity.device,
                incarnation: identity.incarnation,
                epoch: identity.epoch.clone(),
                restored_at: None,
            },
        )
        .await?;
        put_setting(&mut tx, KEY, &STANDARD.encode(identity.key.seed())).await?;
        put_setting(&mut tx, ORGANISATION, &beginning.organisation).await?;
        put_setting(&mut tx, STATUS_URL, &None::<String>).await?;
        let time = TimeRules::beginning(beginning.policy.clone());
        put_setting(&mut tx, TIME, &time).await?;
        put_setting(&mut tx, DERIVED, &DERIVATION).await?;
        put_setting(&mut tx, RULES, &beginning.rules).await?;
        put_setting(&mut tx, DIRECTORY, &1u32).await?;
        tx.commit().await.map_err(failed)?;
        Ok(())
    }

    async fn is_initialised(&self) -> Result<bool> {
        let mut reader = self.reader().await?;
        Ok(find_place(&mut reader).await?.is_some())
    }

    async fn identity(&self) -> Result<Identity> {
        let mut reader = self.reader().await?;
        let place: HubPlace = setting(&mut reader, HUB).await?;
        let seed: String = setting(&mut reader, KEY).await?;
        let seed = STANDARD
            .decode(seed)
            .ok()
            .and_then(|raw| <[u8; 32]>::try_from(raw).ok());
        let seed = seed.ok_or_else(|| StoreError::Damaged("the hub's key".into()))?;
        Ok(Identity {
            device: place.device,
            incarnation: place.incarnation,
            key: SecretKey::from_seed(seed),
            epoch: place.epoch,
        })
    }

    async fn settings(&self) -> Result<Settings> {
        let mut reader = self.reader().await?;
        Ok(Settings {
            organisation: setting(&mut reader, ORGANISATION).await?,
            status_url: setting(&mut reader, STATUS_URL).await?,
            time: time(&mut reader, &self.writing.time).await?,
            directory: setting(&mut reader, DIRECTORY).await?,
        })
    }

    async fn use_rules(&self, version: u32) -> Result<()> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        if setting::<u32>(&mut tx, RULES).await? == version {
            return Ok(());
        }
        put_setting(&mut tx, RULES, &version).await?;
        bump_directory(&mut tx).await?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell_directory();
        Ok(())
    }

    async fn use_status_url(&self, url: Option<&str>) -> Result<()> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let is: Option<String> = setting(&mut tx, STATUS_URL).await?;
        if is.as_deref() == url {
            return Ok(());
        }
        put_setting(&mut tx, STATUS_URL, &url).await?;
        bump_directory(&mut tx).await?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell_directory();
        Ok(())
    }

    async fn replace_time(
        &self,
        before: &TimeRules,
        after: &TimeRules,
        changes: Vec<TimeChange>,
    ) -> Result<bool> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let time = &self.writing.time;
        if !derive::replace_time(&mut tx, time, before, after, changes).await? {
            return Ok(false);
        }
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(Touched::rules());
        Ok(true)
    }

    async fn time_changes(&self) -> Result<Vec<TimeChange>> {
        let mut reader = self.reader().await?;
        let changes = find_setting(&mut reader, TIME_CHANGES).await?;
        Ok(changes.unwrap_or_default())
    }

    async fn branches(&self) -> Result<Vec<Branch>> {
        let mut reader = self.reader().await?;
        let rows: Vec<(String, String, bool)> =
            sqlx::query_as("SELECT code, name, active FROM branch ORDER BY code")
                .fetch_all(&mut *reader)
                .await
                .map_err(failed)?;
        rows.into_iter()
            .map(|(code, name, active)| {
                Ok(Branch {
                    code: branch(code)?,
                    name,
                    active,
                })
            })
            .collect()
    }

    async fn add_branch(&self, branch: &Branch) -> Result<(), AddError> {
        let mut writer = self.writer().await;
        sqlx::query("INSERT INTO branch (code, name, active) VALUES (?, ?, ?)")
            .bind(branch.code.as_str())
            .bind(&branch.name)
            .bind(branch.active)
            .execute(&mut *writer)
            .await
            .map_err(not_added)?;
        Ok(())
    }

    async fn staff(&self) -> Result<Vec<StaffRecord>> {
        let mut reader = self.reader().await?;
        let rows = sqlx::query_as(concat!(staff_columns!(), " ORDER BY branch, role, login"));
        records(rows.fetch_all(&mut *reader).await.map_err(failed)?)
    }

    async fn staff_of_branch(&self, branch: &BranchCode) -> Result<Vec<StaffRecord>> {
        let mut reader = self.reader().await?;
        let rows = sqlx::query_as(concat!(
            staff_columns!(),
            " WHERE branch = ? ORDER BY login"
        ))
        .bind(branch.as_str());
        records(rows.fetch_all(&mut *reader).await.map_err(failed)?)
    }

    async fn staff_with_role(&self, role: Role) -> Result<Vec<StaffRecord>> {
        let mut reader = self.reader().await?;
        let rows = sqlx::query_as(concat!(staff_columns!(), " WHERE role = ? ORDER BY login"))
            .bind(role.name());
        records(rows.fetch_all(&mut *reader).await.map_err(failed)?)
    }

    async fn staff_member(&self, id: StaffId) -> Result<Option<StaffRecord>> {
        let mut reader = self.reader().await?;
        staff_record(&mut reader, id).await
    }

    async fn staff_by_login(&self, login: &str) -> Result<Option<StaffRecord>> {
        let mut reader = self.reader().await?;
        let row: Option<StaffRow> = sqlx::query_as(concat!(staff_columns!(), " WHERE login = ?"))
            .bind(login)
            .fetch_optional(&mut *reader)
            .await
            .map_err(failed)?;
        row.map(record).transpose()
    }

    async fn add_staff(&self, record: &StaffRecord) -> Result<(), AddError> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        sqlx::query(
            "INSERT INTO staff (id, login, name, role, branch, password_hash, active, superior) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(record.id.0)
        .bind(&record.login)
        .bind(&record.name)
        .bind(record.role.name())
        .bind(record.branch.as_ref().map(BranchCode::as_str))
        .bind(&record.password_hash)
        .bind(record.active)
        .bind(record.superior.map(|above| above.0))
        .execute(&mut *tx)
        .await
        .map_err(not_added)?;
        bump_directory(&mut tx).await?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell_directory();
        Ok(())
    }

    async fn set_active(&self, id: StaffId, active: bool) -> Result<bool> {
        self.change_staff(id, !active, |id| {
            sqlx::query("UPDATE staff SET active = ? WHERE id = ?")
                .bind(active)
                .bind(id.0)
        })
        .await
    }

    async fn set_superior(&self, id: StaffId, superior: Option<StaffId>) -> Result<bool> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let done = sqlx::query("UPDATE staff SET superior = ? WHERE id = ?")
            .bind(superior.map(|above| above.0))
            .bind(id.0)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        bump_directory(&mut tx).await?;
        let lines = barred::lines(&mut tx, &KnownLines::default()).await?;
        barred::renew(&mut tx, &lines).await?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(Touched::rules());
        Ok(true)
    }

    async fn lines(&self) -> Result<Arc<Lines>> {
        barred::lines(&mut *self.reader().await?, &self.writing.time.lines).await
    }

    async fn set_password(&self, id: StaffId, hash: &str) -> Result<bool> {
        let hash = hash.to_owned();
        self.change_staff(id, true, move |id| {
            sqlx::query("UPDATE staff SET password_hash = ? WHERE id = ?")
                .bind(hash)
                .bind(id.0)
        })
        .await
    }

    async fn guidance(&self) -> Result<Vec<Guidance>> {
        let mut reader = self.reader().await?;
        let rows: Vec<(String, i64, String, String, Option<i64>)> = sqlx::query_as(
            "SELECT category, version, title, text, limit_minor FROM guidance AS g \
             WHERE version = (SELECT max(version) FROM guidance WHERE category = g.category) \
             ORDER BY category",
        )
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        rows.into_iter()
            .map(|(category, version, title, text, limit_minor)| {
                Ok(Guidance {
                    category,
                    version: number(version)?,
                    title,
                    text,
                    limit_minor,
                })
            })
            .collect()
    }

    async fn put_guidance(
        &self,
        guidance: &Guidance,
        by: Option<StaffId>,
        at: DateTime<Utc>,
    ) -> Result<u32> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let version: i64 = sqlx::query_scalar(
            "INSERT INTO guidance (category, version, title, text, limit_minor, approved_by, \
             approved_at) SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4, ?5, ?6 \
             FROM guidance WHERE category = ?1 RETURNING version",
        )
        .bind(&guidance.category)
        .bind(&guidance.title)
        .bind(&guidance.text)
        .bind(guidance.limit_minor)
        .bind(by.map(|id| id.0))
        .bind(ms(at))
        .fetch_one(&mut *tx)
        .await
        .map_err(failed)?;
        bump_directory(&mut tx).await?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell_directory();
        number(version)
    }

    async fn open_session(
        &self,
        token: [u8; 32],
        staff: StaffId,
        until: DateTime<Utc>,
    ) -> Result<()> {
        let mut writer = self.writer().await;
        sqlx::query("INSERT INTO web_session (token_hash, staff, expires_at) VALUES (?, ?, ?)")
            .bind(token.as_slice())
            .bind(staff.0)
            .bind(ms(until))
            .execute(&mut *writer)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn session(&self, token: [u8; 32], now: DateTime<Utc>) -> Result<Option<StaffRecord>> {
        let mut reader = self.reader().await?;
        let row: Option<StaffRow> = sqlx::query_as(concat!(
            staff_columns!(),
            " WHERE active = 1 AND id = (SELECT staff FROM web_session \
              WHERE token_hash = ? AND expires_at > ?)"
        ))
        .bind(token.as_slice())
        .bind(ms(now))
        .fetch_optional(&mut *reader)
        .await
        .map_err(failed)?;
        row.map(record).transpose()
    }

    async fn close_session(&self, token: [u8; 32]) -> Result<()> {
        let mut writer = self.writer().await;
        sqlx::query("DELETE FROM web_session WHERE token_hash = ?")
            .bind(token.as_slice())
            .execute(&mut *writer)
            .await
            .map_err(failed)?;
        Ok(())
    }
}

type Update = sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments>;

impl SqliteStore {
    /// Changes one member, ending their sign-ins when asked.
    async fn change_staff(
        &self,
        id: StaffId,
        ends_sessions: bool,
        update: impl FnOnce(StaffId) -> Update + Send,
    ) -> Result<bool> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let done = update(id).execute(&mut *tx).await.map_err(failed)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        if ends_sessions {
            sqlx::query("DELETE FROM web_session WHERE staff = ?")
                .bind(id.0)
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
        }
        bump_directory(&mut tx).await?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell_directory();
        Ok(true)
    }

    pub(super) fn tell_directory(&self) {
        self.tell(Touched {
            directory: true,
            ..Touched::default()
        });
    }
}

type StaffRow = (
    uuid::Uuid,
    String,
    String,
    String,
    Option<String>,
    String,
    bool,
    Option<uuid::Uuid>,
);

fn record(
    (id, login, name, role, of, password_hash, active, superior): StaffRow,
) -> Result<StaffRecord> {
    let role = Role::from_name(&role)
        .ok_or_else(|| StoreError::Damaged(format!("{role} is not a role")))?;
    let branch = of.map(branch).transpose()?;
    Ok(StaffRecord {
        id: StaffId(id),
        login,
        name,
        role,
        branch,
        password_hash,
        active,
        superior: superior.map(StaffId),
    })
}

fn records(rows: Vec<StaffRow>) -> Result<Vec<StaffRecord>> {
    rows.into_iter().map(record).collect()
}

pub async fn staff_record(
    connection: &mut SqliteConnection,
    id: StaffId,
) -> Result<Option<StaffRecord>> {
    let row: Option<StaffRow> = sqlx::query_as(concat!(staff_columns!(), " WHERE id = ?"))
        .bind(id.0)
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
    row.map(record).transpose()
}

/// Those of a JSON list of ids in hexadecimal that are members of the staff.
pub async fn staff_among(connection: &mut SqliteConnection, ids: &str) -> Result<Vec<StaffRecord>> {
    let rows: Vec<StaffRow> = sqlx::query_as(concat!(
        staff_columns!(),
        " WHERE id IN (SELECT unhex(value) FROM json_each(?))"
    ))
    .bind(ids)
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    records(rows)
}

/// What clocks are counted with.
pub async fn time(
    connection: &mut SqliteConnection,
    compiled: &CompiledTime,
) -> Result<Arc<Timekeeping>> {
    let time = find_text(connection, TIME).await?;
    let policy = match time {
        Some(_) => None,
        None => find_text(connection, POLICY).await?,
    };
    compiled.of(time, policy)
}

/// The hub's place, unless the database is new.
pub async fn find_place(connection: &mut SqliteConnection) -> Result<Option<HubPlace>> {
    find_setting(connection, HUB).await
}

pub async fn place(connection: &mut SqliteConnection) -> Result<HubPlace> {
    setting(connection, HUB).await
}

pub async fn put_place(tx: &mut Tx<'_>, place: &HubPlace) -> Result<()> {
    put_setting(tx, HUB, place).await
}

pub async fn setting<T: DeserializeOwned>(
    connection: &mut SqliteConnection,
    name: &'static str,
) -> Result<T> {
    find_setting(connection, name)
        .await?
        .ok_or_else(|| StoreError::Damaged(format!("the setting {name} is missing")))
}

pub async fn find_setting<T: DeserializeOwned>(
    connection: &mut SqliteConnection,
    name: &'static str,
) -> Result<Option<T>> {
    let text = find_text(connection, name).await?;
    text.map(|text| parsed(&text)).transpose()
}

pub async fn find_text(
    connection: &mut SqliteConnection,
    name: &'static str,
) -> Result<Option<String>> {
    sqlx::query_scalar("SELECT value FROM setting WHERE name = ?")
        .bind(name)
        .fetch_optional(connection)
        .await
        .map_err(failed)
}

pub async fn put_setting(
    tx: &mut Tx<'_>,
    name: &'static str,
    value: &(impl Serialize + Sync),
) -> Result<()> {
    sqlx::query(
        "INSERT INTO setting (name, value) VALUES (?, ?) \
         ON CONFLICT DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(json(value)?)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}

pub async fn bump_directory(tx: &mut Tx<'_>) -> Result<()> {
    let version: u32 = setting(&mut *tx, DIRECTORY).await?;
    put_setting(tx, DIRECTORY, &(version + 1)).await
}

fn not_added(error: sqlx::Error) -> AddError {
    if is_unique_violation(&error) {
        AddError::Exists
    } else if is_foreign_key_violation(&error) {
        AddError::UnknownBranch
    } else {
        AddError::Store(failed(error))
    }
}
