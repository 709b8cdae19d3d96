//! How texts are sent, as the administrator has set it.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::time::Timekeeping;

use crate::store::sms::AnswerLimits;

/// How texts are sent, when, and how many.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct SmsSettings {
    pub by: SmsBy,
    /// In the installation's civil time nothing but answers is sent from
    /// `quiet_from` to `quiet_to`; the two alike mean never quiet. For customers
    /// no grade is exempt: it is they who sleep. Duty staff are woken for grade 1.
    pub quiet_from: NaiveTime,
    pub quiet_to: NaiveTime,
    /// Texts a minute at most.
    pub per_minute: u32,
    /// Answers to one number within an hour, within a day, and to all within
    /// an hour.
    pub answers_hourly: u32,
    pub answers_daily: u32,
    pub answers_hourly_in_all: u32,
}

/// The way out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum SmsBy {
    /// Each text is a line of JSON in a file.
    File {
        /// Absent for `sms.jsonl` in the data directory.
        path: Option<PathBuf>,
    },
    /// An SMS centre that speaks SMPP 3.4.
    Smpp(SmppSettings),
}

/// What of the settings is to be changed; the rest stays.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SmsChange {
    pub by: Option<SmsBy>,
    pub quiet_from: Option<NaiveTime>,
    pub quiet_to: Option<NaiveTime>,
    pub per_minute: Option<u32>,
}

/// How the SMS centre is reached.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SmppSettings {
    pub host: String,
    pub port: u16,
    pub system_id: String,
    /// The password's file; the password itself is nowhere else.
    pub password_file: PathBuf,
    /// What texts come from and are answered to; empty leaves it to the centre.
    #[serde(default)]
    pub source: String,
}

impl Default for SmsSettings {
    fn default() -> Self {
        let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        Self {
            by: SmsBy::File { path: None },
            quiet_from: hour(21),
            quiet_to: hour(8),
            per_minute: 600,
            answers_hourly: 5,
            answers_daily: 20,
            answers_hourly_in_all: 2_000,
        }
    }
}

impl SmsSettings {
    /// With a change.
    pub fn with(self, change: SmsChange) -> Self {
        Self {
            by: change.by.unwrap_or(self.by),
            quiet_from: change.quiet_from.unwrap_or(self.quiet_from),
            quiet_to: change.quiet_to.unwrap_or(self.quiet_to),
            per_minute: change.per_minute.unwrap_or(self.per_minute).max(1),
            ..self
        }
    }

    pub fn answer_limits(&self) -> AnswerLimits {
        AnswerLimits {
            hourly: self.answers_hourly,
            daily: self.answers_daily,
            hourly_in_all: self.answers_hourly_in_all,
        }
    }

    /// Whether customers sleep.
    pub fn is_quiet(&self, now: DateTime<Utc>, keep: &Timekeeping) -> bool {
        let time = keep.zone_at(now).local(now).time();
        let (from, to) = (self.quiet_from, self.quiet_to);
        if from <= to {
            from <= time && time < to
        } else {
            time >= from || time < to
        }
    }

    /// The shortest time between two texts.
    pub fn pace(&self) -> Duration {
        Duration::from_secs(60) / self.per_minute.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use suda_domain::time::{Calendar, TimeRules};

    fn is_quiet(from: &str, to: &str, at: &str) -> bool {
        let settings = SmsSettings {
            quiet_from: from.parse().unwrap(),
            quiet_to: to.parse().unwrap(),
            ..SmsSettings::default()
        };
        let keep = Timekeeping::from(TimeRules {
            versions: Vec::new(),
            calendar: Calendar::china(),
        });
        settings.is_quiet(format!("2026-07-21T{at}+08:00").parse().unwrap(), &keep)
    }

    #[test]
    fn quiet_hours_go_over_midnight_in_the_installations_time() {
        let night = |at| is_quiet("21:00:00", "08:00:00", at);
        for at in ["21:00:00", "23:59:59", "00:00:00", "07:59:59"] {
            assert!(night(at), "{at}");
        }
        for at in ["08:00:00", "12:00:00", "20:59:59"] {
            assert!(!night(at), "{at}");
        }
        let noon = |at| is_quiet("12:00:00", "13:00:00", at);
        assert!(noon("12:00:00") && !noon("13:00:00") && !noon("23:00:00"));
        assert!(!is_quiet("08:00:00", "08:00:00", "08:00:00"), "never");
    }
}
