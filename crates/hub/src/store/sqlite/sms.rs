//! The texts to customers and to duty staff.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use suda_domain::texts::{Mobile, Template};
use suda_domain::{ComplaintId, Role, StaffId};
use uuid::Uuid;

use super::directory::{find_setting, put_setting};
use super::rows::rows;
use super::value::{branch, count, int, json, ms, number, parsed, time};
use super::{SqliteStore, Tx, begin, failed};
use crate::sms::settings::SmsSettings;
use crate::store::sms::{
    AnswerLimits, Dismissal, Duty, DutyPhone, GIVE_UP, GIVE_UP_AGAIN, NewSms, OnDuty, SMS, Sms,
    SmsFailing, SmsNote, SmsReceipt, SmsState, SmsStore, SmsTrouble,
};
use crate::store::{Reader, Result, StoreError, Touched};

/// Why a text is held that may have been sent before the hub was put back.
const RESTORED: &str = "restored";

/// Takes texts in; one that is there already stays as it is.
pub async fn insert_sms(tx: &mut Tx<'_>, texts: &[NewSms]) -> Result<()> {
    let mut lines = Vec::with_capacity(texts.len());
    for sms in texts {
        let deadline = sms.duty.map(|duty| json(&duty.deadline)).transpose()?;
        lines.push((sms, json(&sms.language)?, deadline));
    }
    let insert = "INSERT INTO sms (id, complaint, device, incarnation, lane, n, is_answer, \
                  template, version, language, reference, recipient, text, state, attempts, \
                  next_at, give_up_at, made_at, staff, deadline, is_urgent, error) ";
    let behind = " ON CONFLICT DO NOTHING";
    rows(
        tx,
        &lines,
        (insert, behind),
        |line, (sms, language, deadline)| {
            let (complaint, event) = sms.cause.unzip();
            line.push_bind(sms.id)
                .push_bind(complaint.map(|complaint| complaint.0))
                .push_bind(event.map(|event| event.device.0))
                .push_bind(event.map(|event| i64::from(event.incarnation)))
                .push_bind(event.map(|event| i64::from(event.lane.number())))
                .push_bind(event.map(|event| int(event.n)))
                .push_bind(sms.is_answer())
                .push_bind(sms.template.name())
                .push_bind(i64::from(sms.template.version()))
                .push_bind(language.clone())
                .push_bind(sms.reference.as_ref().map(ToString::to_string))
                .push_bind(sms.to.digits().to_owned())
                .push_bind(sms.text.clone())
                .push_bind(sms.state().name())
                .push_bind(0_i64)
                .push_bind(ms(sms.made_at))
                .push_bind(ms(sms.made_at + GIVE_UP))
                .push_bind(ms(sms.made_at))
                .push_bind(sms.duty.map(|duty| duty.staff.0))
                .push_bind(deadline.clone())
                .push_bind(sms.is_urgent)
                .push_bind(sms.is_held.then_some(RESTORED));
        },
    )
    .await
}

type OnDutyRow = (Uuid, String, Option<String>, Option<String>, Option<String>);

/// The active staff who may have to be texted of complaints of these branches.
pub async fn on_duty(
    connection: &mut SqliteConnection,
    branches: &[String],
) -> Result<Vec<OnDuty>> {
    let rows: Vec<OnDutyRow> = sqlx::query_as(
        "SELECT id, role, branch, duty_phone, duty_language FROM staff \
         WHERE active = 1 AND duty_phone IS NOT NULL AND branch IS NULL \
         UNION ALL SELECT id, role, branch, duty_phone, duty_language FROM staff \
         WHERE active = 1 AND branch IN (SELECT value FROM json_each($1)) \
         AND (duty_phone IS NOT NULL OR role = 'branch_manager')",
    )
    .bind(json(&branches)?)
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|(id, role, of, phone, language)| {
            let role = Role::from_name(&role)
                .ok_or_else(|| StoreError::Damaged(format!("{role} is not a role")))?;
            let phone = phone.zip(language);
            Ok(OnDuty {
                staff: StaffId(id),
                role,
                branch: of.map(branch).transpose()?,
                phone: phone
                    .map(|(to, language)| duty_phone(to, &language))
                    .transpose()?,
            })
        })
        .collect()
}

fn duty_phone(to: String, language: &str) -> Result<DutyPhone> {
    let damaged = |_| StoreError::Damaged("a duty telephone".into());
    Ok(DutyPhone {
        to: Mobile::try_from(to).map_err(damaged)?,
        language: parsed(language)?,
    })
}

/// Why the program does not send a text to a member of staff after all: they
/// were recused, or their account was closed, while it waited.
const KEPT_FROM: &str = "recipient_kept_from_it";

/// Dismisses a claimed text to a member of staff who may not be told any more:
/// who is addressed was decided when it was made, and it may have waited since.
/// Says whether it did.
async fn dismiss_if_kept_from(
    tx: &mut Tx<'_>,
    row: &SqliteRow,
    now: DateTime<Utc>,
) -> Result<bool> {
    let staff: Option<Uuid> = row.try_get("staff").map_err(failed)?;
    let Some(staff) = staff else {
        return Ok(false);
    };
    let id: Uuid = row.try_get("id").map_err(failed)?;
    let complaint: Option<Uuid> = row.try_get("complaint").map_err(failed)?;
    let may_be_told: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM staff WHERE id = $1 AND active = 1) \
         AND NOT EXISTS (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = $2 \
         AND barred.staff = $1)",
    )
    .bind(staff)
    .bind(complaint)
    .fetch_one(&mut **tx)
    .await
    .map_err(failed)?;
    if may_be_told {
        return Ok(false);
    }
    let why = Dismissal {
        by: None,
        name: "suda-hub".into(),
        at: now,
        reason: KEPT_FROM.into(),
    };
    // It was claimed only to be looked at: no attempt was made.
    sqlx::query(
        "UPDATE sms SET state = 'dismissed', attempts = attempts - 1, failing_since = NULL, \
         dismissal = $1 WHERE id = $2",
    )
    .bind(json(&why)?)
    .bind(id)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(true)
}

#[async_trait]
impl SmsStore for SqliteStore {
    async fn sms_settings(&self) -> Result<SmsSettings> {
        let mut reader = self.reader().await?;
        let set = find_setting(&mut reader, SMS).await?;
        Ok(set.unwrap_or_default())
    }

    async fn put_sms_settings(&self, settings: &SmsSettings) -> Result<()> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        put_setting(&mut tx, SMS, settings).await?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(touched());
        Ok(())
    }

    async fn claim_sms(
        &self,
        now: DateTime<Utc>,
        lease: DateTime<Utc>,
        quiet: bool,
    ) -> Result<Option<Sms>> {
        loop {
            let mut writer = self.writer().await;
            let mut tx = begin(&mut writer).await?;
            let row = sqlx::query(
                "UPDATE sms SET state = 'sending', attempts = attempts + 1, next_at = $1 \
                 WHERE id = (SELECT id FROM sms WHERE state IN ('waiting', 'sending') \
                 AND next_at <= $2 AND (is_answer OR is_urgent OR NOT $3) \
                 ORDER BY is_urgent DESC, is_answer DESC, next_at, id LIMIT 1) RETURNING *",
            )
            .bind(ms(lease))
            .bind(ms(now))
            .bind(quiet)
            .fetch_optional(&mut *tx)
            .await
            .map_err(failed)?;
            let Some(row) = row else {
                return Ok(None);
            };
            if !dismiss_if_kept_from(&mut tx, &row, now).await? {
                // The lease is kept even when the row cannot be read: a damaged
                // one would otherwise be claimed again and again before others.
                tx.commit().await.map_err(failed)?;
                return sms(&row).map(Some);
            }
            tx.commit().await.map_err(failed)?;
            drop(writer);
            self.tell(touched());
        }
    }

    async fn note_sms(&self, id: Uuid, attempt: u32, note: &SmsNote) -> Result<bool> {
        let columns = note.columns();
        let mut writer = self.writer().await;
        let done = sqlx::query(
            "UPDATE sms SET state = $1, text = coalesce($2, text), \
             error = CASE WHEN $3 THEN NULL ELSE coalesce($4, error) END, \
             failing_since = CASE WHEN $3 THEN NULL WHEN $4 IS NULL THEN failing_since \
             ELSE coalesce(failing_since, $5) END, \
             of_way = CASE WHEN $3 THEN 0 WHEN $4 IS NULL THEN of_way ELSE $12 END, \
             smsc_id = coalesce($6, smsc_id), next_at = coalesce($7, next_at), \
             sent_at = coalesce($8, sent_at), delivered_at = coalesce($9, delivered_at) \
             WHERE id = $10 AND state = 'sending' AND attempts = $11",
        )
        .bind(columns.state.name())
        .bind(&note.text)
        .bind(columns.is_well)
        .bind(columns.error)
        .bind(ms(note.at))
        .bind(columns.smsc_id)
        .bind(columns.next_at.map(ms))
        .bind(columns.sent_at.map(ms))
        .bind(columns.delivered_at.map(ms))
        .bind(id)
        .bind(i64::from(attempt))
        .bind(note.of_way)
        .execute(&mut *writer)
        .await
        .map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }

    async fn note_receipt(&self, smsc_ids: &[String], receipt: &SmsReceipt) -> Result<bool> {
        let (state, at) = match receipt.error {
            None => (SmsState::Delivered, Some(ms(receipt.at))),
            Some(_) => (SmsState::Failed, None),
        };
        let mut writer = self.writer().await;
        for smsc_id in smsc_ids {
            let done = sqlx::query(
                "UPDATE sms SET state = $1, error = $2, delivered_at = $3, failing_since = $4, \
                 of_way = 0 \
                 WHERE id = (SELECT id FROM sms WHERE smsc_id = $5 AND state = 'sent' \
                 ORDER BY made_at DESC LIMIT 1) AND state = 'sent'",
            )
            .bind(state.name())
            .bind(&receipt.error)
            .bind(at)
            .bind(receipt.error.is_some().then_some(ms(receipt.at)))
            .bind(smsc_id)
            .execute(&mut *writer)
            .await
            .map_err(failed)?;
            // One that was told of before is not looked for under the names that
            // other texts may have.
            let is_known: bool =
                sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sms WHERE smsc_id = $1)")
                    .bind(smsc_id)
                    .fetch_one(&mut *writer)
                    .await
                    .map_err(failed)?;
            if done.rows_affected() > 0 || is_known {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn next_sms(&self, quiet: bool) -> Result<Option<DateTime<Utc>>> {
        // One arm for each beginning of the index sms_due: within it the first is
        // found without looking at the others.
        let next: Option<i64> = sqlx::query_scalar(
            "SELECT min(next_at) FROM (SELECT * FROM (SELECT next_at FROM sms \
             WHERE state IN ('waiting', 'sending') AND is_urgent = 1 \
             AND is_answer = 1 ORDER BY next_at LIMIT 1) AS a \
             UNION ALL SELECT * FROM (SELECT next_at FROM sms \
             WHERE state IN ('waiting', 'sending') AND is_urgent = 1 \
             AND is_answer = 0 ORDER BY next_at LIMIT 1) AS b \
             UNION ALL SELECT * FROM (SELECT next_at FROM sms \
             WHERE state IN ('waiting', 'sending') AND is_urgent = 0 \
             AND is_answer = 1 ORDER BY next_at LIMIT 1) AS c \
             UNION ALL SELECT * FROM (SELECT next_at FROM sms \
             WHERE state IN ('waiting', 'sending') AND is_urgent = 0 \
             AND is_answer = 0 AND NOT $1 ORDER BY next_at LIMIT 1) AS d) AS nearest",
        )
        .bind(quiet)
        .fetch_one(&mut *self.reader().await?)
        .await
        .map_err(failed)?;
        next.map(time).transpose()
    }

    async fn sms_page(
        &self,
        failing: bool,
        before: Option<(DateTime<Utc>, Uuid)>,
        limit: u32,
        reader: Reader,
    ) -> Result<Vec<Sms>> {
        let (at, id) = before.map_or((i64::MAX, Uuid::max()), |(at, id)| (ms(at), id));
        let sql = if failing {
            "SELECT * FROM sms WHERE failing_since IS NOT NULL AND (made_at, id) < ($1, $2) \
             AND NOT EXISTS (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = sms.complaint AND staff = $4) \
             ORDER BY made_at DESC, id DESC LIMIT $3"
        } else {
            "SELECT * FROM sms WHERE (made_at, id) < ($1, $2) \
             AND NOT EXISTS (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = sms.complaint AND staff = $4) \
             ORDER BY made_at DESC, id DESC LIMIT $3"
        };
        let rows = sqlx::query(sql)
            .bind(at)
            .bind(id)
            .bind(i64::from(limit))
            .bind(reader.staff())
            .fetch_all(&mut *self.reader().await?)
            .await
            .map_err(failed)?;
        rows.iter().map(sms).collect()
    }

    async fn sms_failing(&self) -> Result<SmsTrouble> {
        let mut reader = self.reader().await?;
        let (all, by_way, since, way_since): (i64, i64, Option<i64>, Option<i64>) =
            sqlx::query_as(
                "SELECT count(*), count(*) FILTER (WHERE state IN ('waiting', 'sending') AND of_way), \
                 min(failing_since) FILTER (WHERE NOT (state IN ('waiting', 'sending') AND of_way)), \
                 min(failing_since) FILTER (WHERE state IN ('waiting', 'sending') AND of_way) \
                 FROM sms WHERE failing_since IS NOT NULL",
            )
            .fetch_one(&mut *reader)
            .await
            .map_err(failed)?;
        let held: i64 = sqlx::query_scalar("SELECT count(*) FROM sms WHERE state = 'held'")
            .fetch_one(&mut *reader)
            .await
            .map_err(failed)?;
        Ok(SmsTrouble {
            way: SmsFailing {
                count: count(by_way),
                since: way_since.map(time).transpose()?,
            },
            texts: SmsFailing {
                count: count(all - by_way),
                since: since.map(time).transpose()?,
            },
            held: count(held),
        })
    }

    async fn retry_sms(&self, id: Uuid, now: DateTime<Utc>, reader: Reader) -> Result<bool> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let done = sqlx::query(
            "UPDATE sms SET state = 'waiting', next_at = $1, give_up_at = $2, error = NULL, \
             failing_since = NULL, smsc_id = NULL, sent_at = NULL, dismissal = NULL \
             WHERE id = $3 AND state IN ('failed', 'given_up') \
             AND NOT EXISTS (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = sms.complaint AND staff = $4)",
        )
        .bind(ms(now))
        .bind(ms(now + GIVE_UP_AGAIN))
        .bind(id)
        .bind(reader.staff())
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(touched());
        Ok(true)
    }

    async fn dismiss_sms(&self, id: Uuid, why: &Dismissal, reader: Reader) -> Result<bool> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let done = sqlx::query(
            "UPDATE sms SET state = 'dismissed', failing_since = NULL, dismissal = $1 \
             WHERE id = $2 AND state IN ('failed', 'given_up') \
             AND NOT EXISTS (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = sms.complaint \
             AND barred.staff = $3)",
        )
        .bind(json(why)?)
        .bind(id)
        .bind(reader.staff())
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(touched());
        Ok(true)
    }

    async fn release_held(&self, now: DateTime<Utc>, reader: Reader) -> Result<u64> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let done = sqlx::query(
            "UPDATE sms SET state = 'waiting', next_at = $1, give_up_at = $2, error = NULL, \
             failing_since = NULL WHERE state = 'held' \
             AND NOT EXISTS (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = sms.complaint \
             AND barred.staff = $3)",
        )
        .bind(ms(now))
        .bind(ms(now + GIVE_UP_AGAIN))
        .bind(reader.staff())
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(touched());
        Ok(done.rows_affected())
    }

    async fn dismiss_held(&self, why: &Dismissal, reader: Reader) -> Result<u64> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let done = sqlx::query(
            "UPDATE sms SET state = 'dismissed', failing_since = NULL, dismissal = $1 \
             WHERE state = 'held' \
             AND NOT EXISTS (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = sms.complaint \
             AND barred.staff = $2)",
        )
        .bind(json(why)?)
        .bind(reader.staff())
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(touched());
        Ok(done.rows_affected())
    }

    async fn duty_phones(&self) -> Result<Vec<(StaffId, DutyPhone)>> {
        let rows: Vec<(Uuid, String, String)> = sqlx::query_as(
            "SELECT id, duty_phone, duty_language FROM staff WHERE duty_phone IS NOT NULL",
        )
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(failed)?;
        rows.into_iter()
            .map(|(id, to, language)| Ok((StaffId(id), duty_phone(to, &language)?)))
            .collect()
    }

    async fn set_duty_phone(&self, id: StaffId, phone: Option<&DutyPhone>) -> Result<bool> {
        let mut writer = self.writer().await;
        let done =
            sqlx::query("UPDATE staff SET duty_phone = $1, duty_language = $2 WHERE id = $3")
                .bind(phone.map(|phone| phone.to.digits()))
                .bind(phone.map(|phone| json(&phone.language)).transpose()?)
                .bind(id.0)
                .execute(&mut *writer)
                .await
                .map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }

    async fn answer_sms(&self, answer: &NewSms, limits: AnswerLimits) -> Result<bool> {
        let since = |before| ms(answer.made_at - before);
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let (hourly, daily, in_all): (i64, i64, i64) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE recipient = $1 AND made_at > $2), \
             count(*) FILTER (WHERE recipient = $1), count(*) FILTER (WHERE made_at > $2) \
             FROM sms WHERE is_answer AND made_at > $3",
        )
        .bind(answer.to.digits())
        .bind(since(TimeDelta::hours(1)))
        .bind(since(TimeDelta::days(1)))
        .fetch_one(&mut *tx)
        .await
        .map_err(failed)?;
        let full = |there, limit: u32| there >= i64::from(limit);
        if full(hourly, limits.hourly)
            || full(daily, limits.daily)
            || full(in_all, limits.hourly_in_all)
        {
            return Ok(false);
        }
        insert_sms(&mut tx, std::slice::from_ref(answer)).await?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(touched());
        Ok(true)
    }
}

fn touched() -> Touched {
    Touched {
        sms: true,
        ..Touched::default()
    }
}

fn sms(row: &SqliteRow) -> Result<Sms> {
    let text = |column: &str| row.try_get::<Option<String>, _>(column).map_err(failed);
    let needed = |column: &str| row.try_get::<String, _>(column).map_err(failed);
    let at = |column: &str| -> Result<Option<DateTime<Utc>>> {
        let ms: Option<i64> = row.try_get(column).map_err(failed)?;
        ms.map(time).transpose()
    };
    let moment = |column: &str| time(row.try_get(column).map_err(failed)?);
    let damaged = |what: &str| StoreError::Damaged(format!("the {what} of an SMS"));
    let reference = text("reference")?.map(|text| text.parse());
    let complaint: Option<Uuid> = row.try_get("complaint").map_err(failed)?;
    let staff: Option<Uuid> = row.try_get("staff").map_err(failed)?;
    let duty = staff.zip(text("deadline")?).map(|(staff, deadline)| {
        Ok(Duty {
            staff: StaffId(staff),
            deadline: parsed(&deadline)?,
        })
    });
    Ok(Sms {
        id: row.try_get("id").map_err(failed)?,
        complaint: complaint.map(ComplaintId),
        is_answer: row.try_get("is_answer").map_err(failed)?,
        template: Template::from_name(&needed("template")?).ok_or_else(|| damaged("template"))?,
        language: parsed(&needed("language")?)?,
        reference: reference.transpose().map_err(|_| damaged("reference"))?,
        to: Mobile::try_from(needed("recipient")?).map_err(|_| damaged("recipient"))?,
        text: text("text")?,
        state: SmsState::from_name(&needed("state")?).ok_or_else(|| damaged("state"))?,
        attempts: number(row.try_get("attempts").map_err(failed)?)?,
        next_at: moment("next_at")?,
        give_up_at: moment("give_up_at")?,
        error: text("error")?,
        failing_since: at("failing_since")?,
        smsc_id: text("smsc_id")?,
        made_at: moment("made_at")?,
        sent_at: at("sent_at")?,
        delivered_at: at("delivered_at")?,
        duty: duty.transpose()?,
        is_urgent: row.try_get("is_urgent").map_err(failed)?,
        of_way: row.try_get("of_way").map_err(failed)?,
        dismissal: text("dismissal")?.map(|text| parsed(&text)).transpose()?,
    })
}
