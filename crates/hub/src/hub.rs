//! The running hub: its store, its key, its clock and the rules it gives to
//! desks. What its doors (HTTP) and its timers share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use suda_domain::{Actor, BranchCode, Complaint, ComplaintId, Lines};
use suda_judge::RuleSet;
use suda_sync::Directory;
use suda_sync::hub::allowance::Slots;
use suda_sync::message::Allowance;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::alarms;
use crate::clock::Clock;
use crate::guard::{Pauses, PerMinute};
use crate::learning::{self, Packages};
use crate::letters::LetterDesk;
use crate::metrics::Metrics;
use crate::same_answer::SameAnswers;
use crate::status::StatusDoor;
use crate::store::{Decide, Identity, Result, Step, StepError, Store, StoreError};
use crate::timing;
use crate::turns::Turns;
use crate::twins::Twins;

/// Tries to enrol a minute, over all who try.
const ENROL_TRIES: u32 = 30;

/// One hub. Cheap to share.
pub struct Hub {
    pub store: Arc<dyn Store>,
    pub identity: Identity,
    pub clock: Clock,
    pub rules: RuleSet,
    rules_json: serde_json::Value,
    /// For desks of before the second format.
    rules_1_json: serde_json::Value,
    pub metrics: Metrics,
    pub logins: Pauses,
    pub enrolments: PerMinute,
    pub status: StatusDoor,
    slots: Mutex<Slots>,
    /// Of the desks, for reading and checking what they send.
    pub(crate) turns: Turns,
    /// The model desks are given.
    pub(crate) packages: Packages,
    pub(crate) handoffs: learning::handoffs::Kept,
    /// What every complaint tells, for those of the same matter.
    pub twins: Twins,
    /// What every answer gave, for whether it is the same everywhere.
    pub answers: SameAnswers,
    /// Where letters are made.
    pub letters: LetterDesk,
    /// Where the console's files are.
    pub ui: Option<PathBuf>,
    /// The data directory, where there is one.
    pub dir: Option<PathBuf>,
    /// Ends answers that would go on: the streams and the watches.
    pub stopping: CancellationToken,
}

/// Why the hub cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the rule file is not usable")]
    Rules(#[from] suda_judge::RuleSetError),
    #[error("the rule file is not JSON")]
    Json(#[from] serde_json::Error),
}

impl Hub {
    /// The hub over an initialised store.
    pub async fn start(
        store: Arc<dyn Store>,
        clock: Clock,
        ui: Option<PathBuf>,
        dir: Option<PathBuf>,
    ) -> Result<Self, StartError> {
        let rules = RuleSet::parse(suda_judge::TELECOM)?;
        store.use_rules(rules.version).await?;
        timing::give_ladder(store.as_ref(), clock.now()).await?;
        let identity = store.identity().await?;
        Ok(Self {
            status: StatusDoor::new(&identity.key),
            identity,
            store,
            clock,
            rules_json: serde_json::from_str(suda_judge::TELECOM)?,
            rules_1_json: serde_json::from_str(suda_judge::TELECOM_1)?,
            rules,
            metrics: Metrics::default(),
            logins: Pauses::default(),
            enrolments: PerMinute::new(ENROL_TRIES),
            slots: Mutex::default(),
            turns: Turns::default(),
            packages: Packages::default(),
            handoffs: learning::handoffs::Kept::default(),
            twins: Twins::default(),
            answers: SameAnswers::default(),
            letters: LetterDesk::default(),
            ui,
            dir,
            stopping: CancellationToken::new(),
        })
    }

    /// Who stands above whom, and whom these complaints bar through those they
    /// are answered with.
    pub async fn lines_of(&self, of: impl IntoIterator<Item = ComplaintId>) -> Result<Arc<Lines>> {
        let of: Vec<ComplaintId> = of.into_iter().collect();
        let lines = self.store.lines().await?;
        let along = self.store.barred_along(&of).await?;
        Ok(match along.is_empty() {
            true => lines,
            false => Arc::new(lines.with_along(along)),
        })
    }

    /// What a desk may send from now on.
    pub fn allowance(&self) -> Allowance {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.allow(self.clock.mono_ms(), self.store.load())
    }

    /// What a desk of `branch` needs to work without the hub.
    pub async fn directory(&self, branch: &BranchCode) -> Result<Directory> {
        let settings = self.store.settings().await?;
        let branches = self.store.branches().await?;
        let name = branches
            .into_iter()
            .find(|known| known.code == *branch)
            .map(|known| known.name);
        Ok(Directory {
            version: settings.directory,
            branch: branch.clone(),
            branch_name: name.unwrap_or_default(),
            organisation: settings.organisation,
            status_url: settings.status_url,
            categories: self.rules.tree.clone(),
            rules: self.rules_1_json.clone(),
            rules_2: Some(self.rules_json.clone()),
            guidance: self.store.guidance().await?,
            policy: settings.time.latest().clone(),
            time: Some(settings.time.rules().for_branch(branch)),
            model: learning::package(self).await?.map(|package| package.notice),
            handoffs: learning::handoffs::for_branch(self, settings.directory, branch).await?,
            staff: self.store.staff_of_branch(branch).await?,
            known_matters: alarms::known_matters(self, branch).await?,
        })
    }

    /// Decides and writes a step about a complaint.
    pub async fn step(
        &self,
        complaint: ComplaintId,
        actor: Actor,
        key: Option<Uuid>,
        decide: Decide,
    ) -> Result<Complaint, StepError> {
        let step = Step {
            complaint,
            actor,
            now: self.clock.now(),
            mono_ms: self.clock.mono_ms(),
            key,
            decide,
        };
        self.store.step(step).await
    }
}
