//! Performs what the machine of lane 3 asks for: reads the days that wait,
//! sends them, keeps what the hub holds; and compares the copy of the hub's log.
//! It runs only while every other lane
//! rests; whoever runs it drops it in the middle when one does not.

use suda_sync::message::Refused;
use suda_sync::statistics::{Command, DayTaken, Input, MOST_DAYS, Sender, Waiting};
use suda_sync::{Ask, Reply};
use tokio::sync::watch;

use crate::clock::to_ms;
use crate::desk::Desk;
use crate::record::civil_day;
use crate::runner::{SyncError, exchange};
use crate::store::{StoreError, statistics};
use crate::transport::Transport;

/// Days read at once: one message's worth, and the running one that may wait.
const READ: u32 = MOST_DAYS as u32 + 1;

/// Lane 3 of one desk.
pub(crate) struct StatisticsLane {
    desk: Desk,
    transport: Transport,
    session: watch::Sender<Option<String>>,
    sender: Sender,
}

impl StatisticsLane {
    pub(crate) fn new(
        desk: &Desk,
        transport: Transport,
        session: watch::Sender<Option<String>>,
    ) -> Self {
        Self {
            desk: desk.clone(),
            transport,
            session,
            sender: Sender::new(rand::random()),
        }
    }

    /// Sends what is due; to be called while all other lanes rest. Nothing
    /// depends on it: what fails is tried again later, and told in the log.
    pub(crate) async fn send_due(&mut self) {
        if !self.sender.is_resting() {
            // Dropped in the middle the last time.
            self.sender.step(self.now_ms(), Input::Cut);
        }
        let mut next = Some(Input::Tick { free: true });
        while let Some(input) = next.take() {
            let step = self.sender.step(self.now_ms(), input);
            if let Some(command) = step.command {
                next = Some(self.perform(command).await);
            }
        }
        self.compare_due().await;
    }

    /// Compares the copy of the hub's log, once a day.
    async fn compare_due(&self) {
        loop {
            let due = match self.desk.comparison_due().await {
                Ok(Some(due)) => due,
                Ok(None) => return,
                Err(error) => return tracing::warn!(%error, "the log was not compared"),
            };
            let reply = self.ask(due.ask.clone()).await;
            match self.desk.take_comparison(&due, reply).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return tracing::warn!(%error, "the log was not compared"),
            }
        }
    }

    fn now_ms(&self) -> u64 {
        self.desk.inner.time.clock.mono_ms()
    }

    async fn perform(&mut self, command: Command) -> Input {
        let done = match command {
            Command::Send(days) => {
                let asked = self.ask(Ask::Statistics { days }).await;
                return self.answered(asked);
            }
            Command::Read => self.read().await.map(Input::Days),
            Command::Save { epoch, days } => self.save(&epoch, &days).await.map(|()| Input::Saved),
        };
        done.unwrap_or_else(|error| {
            tracing::warn!(%error, "the store refused a step of lane 3");
            Input::Failed
        })
    }

    async fn read(&self) -> Result<Vec<Waiting>, StoreError> {
        let inner = &self.desk.inner;
        let Ok(enrolled) = inner.enrolled() else {
            return Ok(Vec::new());
        };
        let now = inner.now();
        let today = civil_day(&enrolled, now);
        let incarnation = enrolled.identity().1;
        let mut conn = inner.store.read().await?;
        let rows = statistics::waiting(&mut conn, READ).await?;
        let waiting = rows.into_iter().map(|row| {
            let name = row.totals.name;
            let taken_before = row.taken_at.map(|at| to_ms(now) - at);
            Waiting {
                totals: row.totals,
                running: name.incarnation == incarnation && name.day >= today,
                taken_before_ms: taken_before.and_then(|ms| u64::try_from(ms).ok()),
            }
        });
        Ok(waiting.collect())
    }

    async fn ask(&self, ask: Ask) -> Result<Reply, SyncError> {
        let device = self.desk.inner.enrolled()?.device.clone();
        let session = self.session.borrow().clone();
        let answer = exchange(&self.transport, &device, session, ask, false).await;
        answer.map(|(_, reply)| reply)
    }

    fn answered(&self, answer: Result<Reply, SyncError>) -> Input {
        match answer {
            Ok(Reply::Statistics(taken)) => Input::Taken(taken),
            Ok(Reply::Refused(Refused::Malformed | Refused::Version)) => Input::OldHub,
            Ok(Reply::Refused(Refused::Busy { retry_ms })) => Input::Busy { retry_ms },
            Ok(Reply::Refused(Refused::SessionExpired)) => {
                self.session.send_replace(None);
                Input::Cut
            }
            Ok(_) => Input::Failed,
            Err(error) => {
                tracing::info!(%error, "no answer from the hub about statistics");
                Input::Failed
            }
        }
    }

    async fn save(&self, epoch: &str, days: &[DayTaken]) -> Result<(), StoreError> {
        let inner = &self.desk.inner;
        let at_ms = to_ms(inner.now());
        let mut tx = inner.store.begin().await?;
        statistics::set_taken(tx.conn(), epoch, days, at_ms).await?;
        tx.commit().await
    }
}
