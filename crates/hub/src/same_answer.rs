//! What every answer gave and whether it was what the guidance says, kept in
//! memory and fed from the ledger as it grows, so that the share off guidance
//! and similar complaints with different outcomes are told at once. What “off
//! guidance” means is the judge's (`suda_judge::answers`, its module on
//! deviations). Holds no text and no customer.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::complaint::Answer;
use suda_domain::fact::GuidanceUsed;
use suda_domain::guidance::Guidance;
use suda_domain::{BranchCode, Complaint, ComplaintId, Fact, LedgerEvent, StaffId};
use suda_judge::answers::{Deviation, Difference, Given, Outcome, deviations};
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::store::same_answer::GuidanceVersion;
use crate::store::{Result, Store};
use crate::twins::{Twin, Twins, blocking, line_of};

/// Answers kept in mind, the newest; one more fourth of them before the oldest
/// are forgotten. About 300 bytes each.
const MOST: usize = 200_000;
/// Answers older than this are not looked back to at a start.
pub const LOOKS_BACK: TimeDelta = TimeDelta::days(400);
/// How long somebody waits for it.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long complaints are compared for one question; the next goes on.
const COMPARES: Duration = Duration::from_secs(2);
/// Complaints looked at beside each, and how near they have to be.
const BESIDE: usize = 16;
const NEAR: f32 = 0.2;
/// Pairs given to be looked at in full.
const PAIRS: usize = 200;

/// The answers known to this process.
#[derive(Clone, Default)]
pub struct SameAnswers {
    known: Arc<RwLock<Known>>,
    /// Of those who catch up: one reads the ledger, the others find it read.
    turn: Arc<Mutex<()>>,
    /// Of those who compare: one does, the others tell how far it is.
    comparing: Arc<Mutex<()>>,
}

#[derive(Default)]
struct Known {
    /// In the order of the ledger.
    answers: Vec<Kept>,
    /// So that no line is counted twice, whatever is read again.
    held: HashSet<(ComplaintId, DateTime<Utc>)>,
    /// What came out of a complaint last, by place in `answers`.
    latest: HashMap<ComplaintId, usize>,
    /// What stands beside a complaint, as of its answer at that time.
    beside: HashMap<ComplaintId, (DateTime<Utc>, Vec<Twin>)>,
    cursor: u64,
}

/// One answer.
#[derive(Clone, Debug)]
struct Kept {
    complaint: ComplaintId,
    at: DateTime<Utc>,
    branch: BranchCode,
    category: String,
    staff: Option<StaffId>,
    name: String,
    measured: Measured,
    outcome: Outcome,
}

/// An answer against the guidance it was recorded with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Measured {
    /// There was guidance, and the hub knows that version.
    pub guided: bool,
    pub off: Vec<Deviation>,
    /// A newer version was in force by then, as the desk could not know yet.
    pub outdated: bool,
}

/// How many answers were off guidance, of how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct GuidanceShare {
    pub answers: u32,
    /// Of them those with guidance; the share is of these.
    pub guided: u32,
    /// Of them those off guidance, each counted once.
    pub off: u32,
    /// How, where one answer can count in several.
    pub above_limit: u32,
    pub other_remedy: u32,
    pub declared: u32,
    /// With guidance that had been replaced by then; not off for that.
    pub outdated: u32,
}

impl GuidanceShare {
    fn add(&mut self, measured: &Measured) {
        self.answers += 1;
        self.guided += u32::from(measured.guided);
        self.off += u32::from(!measured.off.is_empty());
        self.outdated += u32::from(measured.outdated);
        for deviation in &measured.off {
            *match deviation {
                Deviation::AboveLimit => &mut self.above_limit,
                Deviation::OtherRemedy => &mut self.other_remedy,
                Deviation::Declared => &mut self.declared,
            } += 1;
        }
    }
}

/// Shares over a time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shares {
    pub all: GuidanceShare,
    /// What branches settled; `None` is what experts answered.
    pub branches: BTreeMap<Option<BranchCode>, GuidanceShare>,
    pub categories: BTreeMap<String, GuidanceShare>,
    /// Whoever settled or answered, with their name and their branch.
    pub people: BTreeMap<StaffId, (String, Option<BranchCode>, GuidanceShare)>,
}

/// Two similar complaints that came to different ends.
#[derive(Clone, PartialEq, Debug)]
pub struct Pair {
    pub one: ComplaintId,
    pub other: ComplaintId,
    pub score: f32,
    pub differs: Vec<Difference>,
}

/// Which answers are asked for.
#[derive(Clone, Debug)]
pub struct Period {
    pub from: DateTime<Utc>,
    /// Not with it.
    pub to: DateTime<Utc>,
    /// Complaints the reader is barred from: not counted, not shown.
    pub without: BTreeSet<ComplaintId>,
}

impl Period {
    fn holds(&self, one: &Kept) -> bool {
        one.at >= self.from && one.at < self.to && !self.without.contains(&one.complaint)
    }
}

impl SameAnswers {
    /// Takes over what the ledger has told since.
    ///
    /// # Errors
    /// When the store cannot be read; what was taken stays.
    pub async fn catch_up(&self, store: &dyn Store, now: DateTime<Utc>) -> Result<()> {
        let _turn = self.turn.lock().await;
        let mut cursor = self.read().cursor;
        if cursor == 0 {
            cursor = line_of(store, now - LOOKS_BACK).await?;
        }
        loop {
            let page = store.answers_after(cursor).await?;
            cursor = page.cursor;
            let mut kept = Vec::new();
            if !page.answers.is_empty() {
                let versions = Versions::of(store.guidance_versions().await?);
                let all = page.answers.iter();
                kept = all
                    .filter_map(|(event, complaint)| keep(event, complaint, &versions))
                    .collect();
            }
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.add(kept);
            known.cursor = cursor;
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Like [`catch_up`](Self::catch_up) for somebody who waits.
    pub async fn catch_up_shortly(&self, store: &dyn Store, now: DateTime<Utc>) {
        match tokio::time::timeout(PATIENCE, self.catch_up(store, now)).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what answers gave is known later"),
        }
    }

    pub fn shares(&self, period: &Period) -> Shares {
        let mut shares = Shares::default();
        for one in self.read().answers.iter().filter(|one| period.holds(one)) {
            let branch = one.outcome.at_counter.then(|| one.branch.clone());
            shares.all.add(&one.measured);
            let of_branch = shares.branches.entry(branch.clone()).or_default();
            of_branch.add(&one.measured);
            let of_category = shares.categories.entry(one.category.clone()).or_default();
            of_category.add(&one.measured);
            if let Some(staff) = one.staff {
                let new = || (one.name.clone(), branch, GuidanceShare::default());
                shares
                    .people
                    .entry(staff)
                    .or_insert_with(new)
                    .2
                    .add(&one.measured);
            }
        }
        shares
    }

    /// Compares the complaints of a time with those beside them, the newest
    /// first, as far as it comes; what was compared once stays so. Gives how
    /// many are compared, and of how many.
    pub async fn compare(&self, twins: &Twins, period: &Period) -> Result<(usize, usize)> {
        let of_period: Vec<(ComplaintId, DateTime<Utc>)> = {
            let known = self.read();
            let latest = known
                .latest
                .values()
                .filter_map(|at| known.answers.get(*at));
            let of_period = latest.filter(|one| period.holds(one));
            of_period.map(|one| (one.complaint, one.at)).collect()
        };
        let all = of_period.len();
        let mut open: Vec<(ComplaintId, DateTime<Utc>)> = {
            let known = self.read();
            let is_open = |(id, at): &(ComplaintId, DateTime<Utc>)| {
                known.beside.get(id).is_none_or(|(of, _)| of != at)
            };
            of_period.into_iter().filter(is_open).collect()
        };
        open.sort_unstable_by_key(|(id, at)| std::cmp::Reverse((*at, *id)));
        let (before, twins) = (all - open.len(), twins.clone());
        // What is compared once stays so: never by an index that is still being
        // filled, as after a start.
        let comparing = self.comparing.try_lock();
        if comparing.is_err() || twins.cursor() < self.read().cursor {
            return Ok((before, all));
        }
        let found = blocking(move || {
            let begun = Instant::now();
            let mut found = Vec::new();
            for (id, at) in open {
                if begun.elapsed() > COMPARES {
                    break;
                }
                let mut beside = twins.beside(id, BESIDE);
                beside.retain(|twin| twin.score >= NEAR);
                found.push((id, (at, beside)));
            }
            found
        })
        .await?;
        let compared = before + found.len();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.beside.extend(found);
        Ok((compared, all))
    }

    /// Pairs of which one was answered in the time, as far as they have been
    /// compared, the nearest first.
    pub fn pairs(&self, period: &Period) -> Vec<Pair> {
        let known = self.read();
        let last = |id: &ComplaintId| known.answers.get(*known.latest.get(id)?);
        let mut met = HashSet::new();
        let mut pairs = Vec::new();
        for (id, (_, beside)) in &known.beside {
            let Some(one) = last(id).filter(|one| period.holds(one)) else {
                continue;
            };
            for twin in beside {
                let seen = |other: &&Kept| !period.without.contains(&other.complaint);
                let Some(other) = last(&twin.id).filter(seen) else {
                    continue;
                };
                let differs = one.outcome.differences(&other.outcome);
                let names = (one.complaint.min(twin.id), one.complaint.max(twin.id));
                if !differs.is_empty() && met.insert(names) {
                    pairs.push(Pair {
                        one: names.0,
                        other: names.1,
                        score: twin.score,
                        differs,
                    });
                }
            }
        }
        pairs.sort_by(|a, b| {
            let nearer = b.score.total_cmp(&a.score);
            nearer.then((b.one, b.other).cmp(&(a.one, a.other)))
        });
        pairs.truncate(PAIRS);
        pairs
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn add(&mut self, kept: Vec<Kept>) {
        for one in kept {
            if self.held.insert((one.complaint, one.at)) {
                self.latest.insert(one.complaint, self.answers.len());
                self.answers.push(one);
            }
        }
        if self.answers.len() > MOST + MOST / 4 {
            let newest = self.answers.split_off(self.answers.len() - MOST);
            let (cursor, beside) = (self.cursor, std::mem::take(&mut self.beside));
            *self = Self {
                cursor,
                ..Self::default()
            };
            self.add(newest);
            self.beside = beside;
            let Self { beside, latest, .. } = self;
            beside.retain(|id, _| latest.contains_key(id));
        }
    }
}

/// The answer a line of the ledger gave; nothing for one that changed nothing,
/// because it came after the complaint had another owner.
fn keep(event: &LedgerEvent, complaint: &Complaint, versions: &Versions) -> Option<Kept> {
    let (text, remedy, used, declared) = match &event.fact {
        Fact::Settled {
            summary,
            remedy,
            guidance,
            deviation,
            ..
        } => (summary, remedy, guidance, deviation),
        Fact::Answered {
            text,
            remedy,
            guidance,
            deviation,
            ..
        } => (text, remedy, guidance, deviation),
        _ => return None,
    };
    let told = |answer: &Answer| {
        answer.text == *text && answer.remedy == *remedy && answer.by == event.actor.staff
    };
    let past = complaint.past.iter();
    let past = past.map(|cycle| (cycle.marks.answered_at, cycle.answer.as_ref()));
    let present = (complaint.marks.answered_at, complaint.answer.as_ref());
    // Of equal answers of several cycles the one that was written at that time.
    let written = event.at.trusted();
    let (at, answer) = past
        .chain([present])
        .filter_map(|(at, answer)| Some((at?, answer.filter(|one| told(one))?)))
        .min_by_key(|(at, _)| (*at - written).abs())?;
    let outcome = Outcome::of(answer, &complaint.intake);
    let given = Given {
        at_counter: outcome.at_counter,
        remedy,
        amount_minor: answer.amount_minor,
        declared,
    };
    Some(Kept {
        complaint: complaint.id,
        at,
        branch: complaint.branch.clone(),
        category: complaint.intake.category.clone(),
        staff: event.actor.staff,
        name: event.actor.name.clone(),
        measured: versions.measure(given, used.as_ref(), at),
        outcome,
    })
}

/// All guidance there has been.
struct Versions(HashMap<(String, u32), (Guidance, DateTime<Utc>)>);

impl Versions {
    fn of(all: Vec<GuidanceVersion>) -> Self {
        let named = all.into_iter().map(|one| {
            let name = (one.guidance.category.clone(), one.guidance.version);
            (name, (one.guidance, one.since))
        });
        Self(named.collect())
    }

    fn measure(
        &self,
        given: Given<'_>,
        used: Option<&GuidanceUsed>,
        at: DateTime<Utc>,
    ) -> Measured {
        let of = |version| used.map(|used| (used.category.clone(), version));
        let held = |version| self.0.get(&of(version)?);
        let Some((used, (guidance, _))) = used.and_then(|used| Some((used, held(used.version)?)))
        else {
            return Measured::default();
        };
        Measured {
            guided: true,
            off: deviations(given, guidance),
            // Versions rise one by one.
            outdated: held(used.version + 1).is_some_and(|(_, since)| *since <= at),
        }
    }
}
