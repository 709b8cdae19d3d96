//! Learning categories from confirmed cases: once a night, or when somebody
//! asks for it, in one process of several. A candidate is judged on the newest
//! cases, which it has not seen, and replaces the model in force only when it
//! is not worse. What was judged is what is rolled out: learning once more from
//! all cases would give a model nobody has judged, and the one of tomorrow
//! could not be compared with it.

mod examine;
pub mod handoffs;
pub mod local;
mod overrides;
pub mod report;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike as _, Utc};
use suda_domain::StaffId;
use suda_judge::learn::{Example, Model, TrainError, train};
use suda_judge::{COLUMNS, RuleSet};
use suda_sync::model::{ModelNotice, ModelPiece, PIECE, notice, seal};
use uuid::Uuid;

use self::examine::small;
use self::report::{TrainingDecision, TrainingReport};
use crate::clock::Clock;
use crate::hub::Hub;
use crate::store::learning::{ConfirmedCase, Effect, HandoffEffect, NewTraining};
use crate::store::{Reader, Store, StoreError};

/// Cases learned from and judged on at most: the newest. What training takes
/// of time and memory follows from this and the next.
const MOST_CASES: u32 = 50_000;
/// Bytes of their texts at most.
const MOST_BYTES: usize = 64 * 1024 * 1024;
const LEAST_CASES: usize = 50;
const LEAST_CATEGORIES: usize = 2;
/// Cases a category needs to count as one.
const LEAST_OF_CATEGORY: u32 = 5;
/// One case in so many is held out, the newest, but neither less nor more than this.
const HELD_OUT_OF: usize = 5;
const HELD_OUT: (usize, usize) = (10, 1_000);
/// Lines of the ledger whose assessments are looked at.
const LINES: u32 = 100_000;
/// How long nobody else trains, should this process die.
const BUSY: TimeDelta = TimeDelta::minutes(30);
/// The hours of the night, in local time.
const NIGHT: std::ops::Range<u32> = 2..5;
/// After so long it is done by day: the hub is off at night.
const OVERDUE: TimeDelta = TimeDelta::hours(36);

/// Why nothing was learned.
#[derive(Debug, thiserror::Error)]
pub enum LearningError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the training broke")]
    Broke(#[from] tokio::task::JoinError),
}

/// Who wants a training, and what of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    pub by: Option<StaffId>,
    /// Only to see what it would change.
    pub preview: bool,
}

/// What came of asking for one.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// Another one runs.
    Busy,
    Done(u32, Box<TrainingReport>),
}

/// Trains when the night's training is due.
///
/// # Errors
/// When the store fails.
pub async fn nightly(hub: &Hub) -> Result<(), LearningError> {
    let now = hub.clock.now();
    let zone = hub.store.settings().await?.time.zone_at(now);
    let last = hub.store.learning().await?.last_at;
    if !is_due(zone.local(now), last.map(|at| zone.local(at))) {
        return Ok(());
    }
    let asked = Asked {
        by: None,
        preview: false,
    };
    let outcome = run(hub.store.as_ref(), &hub.clock, hub.rules.clone(), asked).await?;
    if let Outcome::Done(version, report) = outcome {
        tracing::info!(version, decision = ?report.decision, cases = report.cases, "trained");
    }
    Ok(())
}

fn is_due(now: NaiveDateTime, last: Option<NaiveDateTime>) -> bool {
    let is_night = NIGHT.contains(&now.hour());
    match last {
        None => is_night,
        Some(last) => (is_night && last.date() < now.date()) || now - last > OVERDUE,
    }
}

/// Trains now, unless another process or person does. Takes up to a minute.
///
/// # Errors
/// When the store fails.
pub async fn run(
    store: &dyn Store,
    clock: &Clock,
    rules: RuleSet,
    asked: Asked,
) -> Result<Outcome, LearningError> {
    match begin(store, clock).await? {
        Some(begun) => finish(store, clock, rules, asked, begun).await,
        None => Ok(Outcome::Busy),
    }
}

/// A training nobody else can begin beside.
pub struct Begun(Uuid);

/// Begins one; nothing when another one runs.
///
/// # Errors
/// When the store fails.
pub async fn begin(store: &dyn Store, clock: &Clock) -> Result<Option<Begun>, StoreError> {
    let (holder, now) = (Uuid::new_v4(), clock.now());
    let begun = store.begin_training(holder, now, now + BUSY).await?;
    Ok(begun.then_some(Begun(holder)))
}

/// Does what was begun.
///
/// # Errors
/// When the store fails.
pub async fn finish(
    store: &dyn Store,
    clock: &Clock,
    rules: RuleSet,
    asked: Asked,
    Begun(holder): Begun,
) -> Result<Outcome, LearningError> {
    let now = clock.now();
    let mut training = match learned(store, rules, now).await {
        Ok(training) => training,
        Err(error) => {
            tracing::error!(%error, "the training failed");
            NewTraining {
                at: now,
                asked_by: None,
                report: TrainingReport::without(TrainingDecision::Failed, 0),
                read_at: now,
                effect: Effect::Nothing,
                handoffs: HandoffEffect::Nothing,
            }
        }
    };
    training.at = clock.now();
    training.asked_by = asked.by;
    if asked.preview {
        training.report.preview = true;
        training.effect = Effect::Nothing;
        training.handoffs = HandoffEffect::Nothing;
    }
    match store.end_training(holder, &training).await? {
        Some(version) => Ok(Outcome::Done(version, Box::new(training.report))),
        None => Ok(Outcome::Busy),
    }
}

async fn learned(
    store: &dyn Store,
    rules: RuleSet,
    read_at: DateTime<Utc>,
) -> Result<NewTraining, LearningError> {
    let state = store.learning().await?;
    let cases = store.confirmed_cases(MOST_CASES, Reader::Program).await?;
    let assessments = store.assessments(LINES).await?;
    let past = handoffs::Past {
        cases: store.handled_cases(MOST_CASES, Reader::Program).await?,
        guidance: store.guidance().await?,
        policy: store.settings().await?.time.latest().clone(),
        is_in_use: store.handoff_model().await?.is_some(),
        now: read_at,
    };
    let before = match state.in_force {
        Some(version) => store.model(version).await?.map(|bytes| (version, bytes)),
        None => None,
    };
    let work = move || {
        let began = Instant::now();
        let mut lesson = Lesson::of(cases, &rules);
        let (mut report, model) = lesson.learn(&rules, before.as_ref());
        report.overrides = overrides::tally(&assessments);
        let (of_handoffs, handoffs) = handoffs::learn(&past, &rules);
        report.handoffs = Some(of_handoffs);
        report.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        (report, model, handoffs)
    };
    let (mut report, model, handoffs) = tokio::task::spawn_blocking(work).await?;
    let effect = match (report.decision, model) {
        (TrainingDecision::RolledOut, Some(model)) => Effect::RollOut(model),
        (TrainingDecision::Worse, Some(model)) if state.to_retrain && state.in_force.is_some() => {
            report.decision = TrainingDecision::AfterErasure;
            Effect::RollOut(model)
        }
        (TrainingDecision::TooFewCases | TrainingDecision::TooFewCategories, _)
            if state.to_retrain && state.in_force.is_some() =>
        {
            Effect::Withdraw
        }
        _ => Effect::Nothing,
    };
    Ok(NewTraining {
        at: read_at,
        asked_by: None,
        report,
        read_at,
        effect,
        handoffs,
    })
}

/// The cases, the oldest first, and of them those that are held out.
struct Lesson {
    learned: Vec<ConfirmedCase>,
    held: Vec<ConfirmedCase>,
    outside_tree: usize,
}

impl Lesson {
    /// `cases` come the newest first. Cases that were taken up again are never
    /// held out: a model in force may have learned from their first answer.
    fn of(cases: Vec<ConfirmedCase>, rules: &RuleSet) -> Self {
        let all = cases.len();
        let mut bytes = 0;
        let mut known: Vec<ConfirmedCase> = cases
            .into_iter()
            .filter(|case| rules.tree.is_leaf(&case.category))
            .collect();
        let outside_tree = all - known.len();
        known.retain(|case| {
            bytes += case.remedy_sought.len() + case.description.len();
            bytes <= MOST_BYTES
        });
        known.sort_by_key(|case| std::cmp::Reverse((case.confirmed_at, case.id.0)));
        let (least, most) = HELD_OUT;
        let hold = (known.len() / HELD_OUT_OF).clamp(least, most);
        let (mut learned, mut held) = (Vec::new(), Vec::new());
        for case in known {
            match held.len() < hold && !case.again {
                true => held.push(case),
                false => learned.push(case),
            }
        }
        learned.reverse();
        held.reverse();
        Self {
            learned,
            held,
            outside_tree,
        }
    }

    fn cases(&self) -> usize {
        self.learned.len() + self.held.len()
    }

    fn learn(
        &mut self,
        rules: &RuleSet,
        before: Option<&(u32, Vec<u8>)>,
    ) -> (TrainingReport, Option<Vec<u8>>) {
        let too_few = |decision, lesson: &Self| {
            let mut report = TrainingReport::without(decision, small(lesson.cases()));
            report.outside_tree = small(lesson.outside_tree);
            (report, None)
        };
        if self.cases() < LEAST_CASES {
            return too_few(TrainingDecision::TooFewCases, self);
        }
        let all = self.learned.iter().chain(&self.held);
        let counts = examine::commonest(all.map(|case| case.category.as_str()));
        let enough = counts.filter(|(_, cases)| *cases >= LEAST_OF_CATEGORY);
        if enough.count() < LEAST_CATEGORIES {
            return too_few(TrainingDecision::TooFewCategories, self);
        }
        let rows: Vec<[&str; 2]> = self.learned.iter().map(ConfirmedCase::texts).collect();
        let examples = self.learned.iter().zip(&rows);
        let examples: Vec<Example<'_>> = examples
            .map(|(case, fields)| Example {
                fields,
                label: &case.category,
            })
            .collect();
        let model = match train(&COLUMNS, &examples) {
            Ok(model) => model,
            Err(TrainError::Nothing | TrainError::OneCategory(_)) => {
                return too_few(TrainingDecision::TooFewCategories, self);
            }
            Err(error) => {
                tracing::error!(%error, "nothing can be learned");
                return too_few(TrainingDecision::Failed, self);
            }
        };
        match model.to_bytes() {
            Ok(bytes) => self.judge(rules, &model, bytes, before),
            Err(error) => {
                tracing::error!(%error, "the model cannot be kept");
                too_few(TrainingDecision::Failed, self)
            }
        }
    }

    fn judge(
        &self,
        rules: &RuleSet,
        model: &Model,
        bytes: Vec<u8>,
        before: Option<&(u32, Vec<u8>)>,
    ) -> (TrainingReport, Option<Vec<u8>>) {
        let held = &self.held;
        let said = examine::ask(model, rules, held);
        let candidate = examine::figures(&said, held);
        // One that cannot be read any more is as good as none.
        let old = before.and_then(|(version, bytes)| Some((*version, Model::parse(bytes).ok()?)));
        let old_said = old
            .as_ref()
            .map(|(_, model)| examine::ask(model, rules, held));
        let in_force = old_said.as_ref().map(|said| examine::figures(said, held));
        let changes = match &old_said {
            Some(old) => examine::changes(old, &said, held),
            None => Vec::new(),
        };
        let commonest = examine::commonest_share(&self.learned, held);
        let decision = if before.is_some_and(|(_, before)| *before == bytes) {
            TrainingDecision::Same
        } else if examine::is_not_worse(&candidate, in_force.as_ref(), commonest) {
            TrainingDecision::RolledOut
        } else {
            TrainingDecision::Worse
        };
        let report = TrainingReport {
            outside_tree: small(self.outside_tree),
            learned_from: small(self.learned.len()),
            held_out: small(held.len()),
            categories: small(model.labels().len()),
            bytes: bytes.len() as u64,
            candidate: Some(candidate),
            in_force,
            in_force_version: old.as_ref().map(|(version, _)| *version),
            commonest,
            rules: examine::of_rules(rules, held),
            together: examine::together(rules, model, held),
            calibration: examine::bins(&said, held),
            confusion: examine::confusion(&said, held),
            shares: examine::shares(&self.learned, held),
            changed: changes.iter().map(|one| one.cases).sum(),
            changes,
            ..TrainingReport::without(decision, small(self.cases()))
        };
        (report, Some(bytes))
    }
}

/// The sealed model desks are given, kept between their questions.
#[derive(Default)]
pub(crate) struct Packages(Mutex<Option<Package>>);

/// A sealed model with what the directory says of it.
#[derive(Clone)]
pub(crate) struct Package {
    pub notice: ModelNotice,
    bytes: Arc<Vec<u8>>,
}

/// The model in force, sealed.
pub(crate) async fn package(hub: &Hub) -> Result<Option<Package>, StoreError> {
    let Some(version) = hub.store.learning().await?.in_force else {
        return Ok(None);
    };
    let held = || {
        hub.packages
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    let known = held().clone();
    if let Some(known) = known.filter(|known| known.notice.version == version) {
        return Ok(Some(known));
    }
    let Some(model) = hub.store.model(version).await? else {
        return Ok(None);
    };
    let sealed = seal(version, &model, &hub.identity.key);
    let sealed = sealed.map_err(|error| StoreError::Failed(Box::new(error)))?;
    let package = Package {
        notice: notice(version, &sealed),
        bytes: Arc::new(sealed),
    };
    *held() = Some(package.clone());
    Ok(Some(package))
}

/// A piece of it for a desk; an empty one when it is not in force any more.
pub(crate) async fn piece(hub: &Hub, version: u32, offset: u64) -> Result<ModelPiece, StoreError> {
    let package = package(hub).await?;
    let package = package.filter(|package| package.notice.version == version);
    let from = usize::try_from(offset).unwrap_or(usize::MAX);
    let data = package.as_ref().and_then(|package| {
        let upto = from.saturating_add(PIECE).min(package.bytes.len());
        package.bytes.get(from..upto)
    });
    Ok(ModelPiece {
        version,
        offset,
        data: STANDARD.encode(data.unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn it_is_done_once_a_night_and_by_day_only_when_nights_were_missed() {
        let last = Some(at("2026-07-20T02:10:00"));
        assert!(!is_due(at("2026-07-20T04:00:00"), last));
        assert!(!is_due(at("2026-07-20T23:00:00"), last));
        assert!(is_due(at("2026-07-21T02:00:00"), last));
        assert!(!is_due(at("2026-07-21T09:00:00"), last));
        assert!(is_due(at("2026-07-21T14:11:00"), last));
        assert!(!is_due(at("2026-07-21T14:00:00"), None));
        assert!(is_due(at("2026-07-21T03:00:00"), None));
    }

    fn cases(categories: &[(&str, &str, usize)]) -> Vec<ConfirmedCase> {
        let mut all = Vec::new();
        for number in 0..200 {
            for (category, text, most) in categories {
                if number < *most {
                    let mut case =
                        ConfirmedCase::sample(category, &format!("{text}第{number}次了请处理"));
                    case.confirmed_at += TimeDelta::minutes(all.len() as i64);
                    all.push(case);
                }
            }
        }
        all.reverse();
        all
    }

    fn rules() -> RuleSet {
        RuleSet::parse(suda_judge::TELECOM).unwrap()
    }

    /// Two leaves of the tree with texts that tell them apart.
    fn two() -> [(String, &'static str); 2] {
        let rules = rules();
        let mut leaves = rules.tree.nodes.iter().map(|node| node.code.clone());
        let mut leaf = || leaves.find(|code| rules.tree.is_leaf(code)).unwrap();
        [
            (leaf(), "话费账单被多扣了要求退费"),
            (leaf(), "家里上网速度很慢经常掉线"),
        ]
    }

    fn lesson(most: usize) -> Lesson {
        let [(a, fees), (b, slow)] = &two();
        Lesson::of(cases(&[(a, fees, most), (b, slow, most)]), &rules())
    }

    #[test]
    fn with_too_few_cases_or_categories_nothing_is_learned_and_it_is_said() {
        let (report, model) = lesson(24).learn(&rules(), None);
        assert_eq!(
            (report.decision, report.cases),
            (TrainingDecision::TooFewCases, 48)
        );
        assert_eq!(model, None);
        let [(a, fees), (b, slow)] = &two();
        let one = cases(&[(a, fees, 60), (b, slow, 4)]);
        let (report, model) = Lesson::of(one, &rules()).learn(&rules(), None);
        assert_eq!(report.decision, TrainingDecision::TooFewCategories);
        assert_eq!(model, None);
    }

    #[test]
    fn a_first_model_is_judged_on_the_newest_cases_and_rolled_out() {
        let mut lesson = lesson(50);
        assert_eq!((lesson.learned.len(), lesson.held.len()), (80, 20));
        let newest_learned = lesson.learned.iter().map(|case| case.confirmed_at).max();
        let oldest_held = lesson.held.iter().map(|case| case.confirmed_at).min();
        assert!(newest_learned < oldest_held);
        let (report, model) = lesson.learn(&rules(), None);
        assert_eq!(report.decision, TrainingDecision::RolledOut);
        assert_eq!(report.candidate.unwrap().accuracy, 1.0);
        assert!(model.unwrap().len() as u64 <= suda_sync::model::MOST_BYTES);
    }

    #[test]
    fn a_candidate_that_learned_from_wrong_categories_is_not_rolled_out() {
        let (_, good) = lesson(50).learn(&rules(), None);
        let good = (7, good.unwrap());
        let mut bad = lesson(55);
        let [(a, _), (b, _)] = two();
        for case in &mut bad.learned {
            // Somebody has sorted everything wrongly.
            case.category = if case.category == a {
                b.clone()
            } else {
                a.clone()
            };
        }
        let (report, _) = bad.learn(&rules(), Some(&good));
        assert_eq!(report.decision, TrainingDecision::Worse);
        assert_eq!(report.in_force_version, Some(7));
        assert!(report.in_force.unwrap().right > report.candidate.unwrap().right);
        assert_eq!(report.changed, report.held_out);
        // The control: the same cases sorted rightly are not worse.
        let (report, _) = lesson(55).learn(&rules(), Some(&good));
        assert_eq!(report.decision, TrainingDecision::RolledOut);
        let (report, _) = lesson(50).learn(&rules(), Some(&good));
        assert_eq!(report.decision, TrainingDecision::Same);
    }

    #[test]
    fn categories_that_have_vanished_are_not_learned() {
        let [(a, fees), (b, slow)] = &two();
        let all = cases(&[(a, fees, 40), (b, slow, 40), ("gone.away", "旧的类别", 20)]);
        let lesson = Lesson::of(all, &rules());
        assert_eq!((lesson.cases(), lesson.outside_tree), (80, 20));
    }

    #[test]
    fn a_case_taken_up_again_is_never_held_out() {
        let [(a, fees), (b, slow)] = &two();
        let mut all = cases(&[(a, fees, 40), (b, slow, 40)]);
        all[0].again = true;
        let id = all[0].id;
        let lesson = Lesson::of(all, &rules());
        assert!(lesson.learned.iter().any(|case| case.id == id));
        assert_eq!(lesson.held.len(), 16);
    }
}
