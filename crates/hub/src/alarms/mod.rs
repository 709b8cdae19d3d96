//! Early warning: bursts of one matter over the branches, and days that bring
//! more than the days before let expect. One process watches; what it sees is
//! raised once, whoever sees it again. People acknowledge, explain and close;
//! what is explained goes to the counters.

mod surges;
mod title;
mod watch;

use std::time::{Duration, Instant};

use suda_domain::BranchCode;
use suda_domain::alarm::{AlarmState, KnownMatter};
use tokio::sync::broadcast::error::RecvError;

use crate::hub::Hub;
use crate::store::alarms::{AlarmHeld, AlarmsAsked};
use crate::store::{Reader, Result};
use watch::Watch;

pub use surges::look as look_for_surges;

/// It looks at the latest after this long, and not at once after every commit.
const LOOK: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);
/// Between two countings of the days.
const COUNT: Duration = Duration::from_secs(3_600);
/// Open alarms that are looked at as a whole.
pub const MOST_OPEN: u32 = 200;

/// Watches as long as no other process does.
pub async fn run(hub: &Hub) {
    let mut feed = hub.store.feed();
    let (mut watch, mut counted): (Option<Watch>, Option<Instant>) = (None, None);
    loop {
        if let Err(error) = look(hub, &mut watch, &mut counted).await {
            tracing::warn!(%error, "nobody looked for early warnings; tried again");
        }
        tokio::time::sleep(PAUSE).await;
        if let Ok(Err(RecvError::Closed)) = tokio::time::timeout(LOOK, feed.recv()).await {
            return;
        }
    }
}

async fn look(hub: &Hub, watch: &mut Option<Watch>, counted: &mut Option<Instant>) -> Result<()> {
    if !hub.store.watches_alarms().await? {
        *watch = None;
        return Ok(());
    }
    // Taken out: after a fault it begins anew rather than with a part missing.
    let mut watching = match watch.take() {
        Some(watching) => watching,
        None => Watch::begin(hub).await?,
    };
    watching.look(hub).await?;
    *watch = Some(watching);
    if counted.is_none_or(|at| at.elapsed() >= COUNT) {
        look_for_surges(hub).await?;
        *counted = Some(Instant::now());
    }
    Ok(())
}

/// What is explained and goes on: what the desks of a branch are told.
pub async fn known_matters(hub: &Hub, branch: &BranchCode) -> Result<Vec<KnownMatter>> {
    let asked = AlarmsAsked {
        limit: MOST_OPEN,
        ..AlarmsAsked::default()
    };
    let open = hub.store.alarms(&asked, Reader::Program).await?;
    let explained = open
        .into_iter()
        .filter(|alarm| alarm.state == AlarmState::Explained);
    Ok(explained
        .filter_map(|alarm| matter(alarm, branch))
        .collect())
}

fn matter(alarm: AlarmHeld, branch: &BranchCode) -> Option<KnownMatter> {
    let since = alarm.members.first()?.captured_at;
    let surge = alarm.body.surge.as_ref();
    let category = surge.filter(|surge| surge.by == crate::store::alarms::SurgeBy::Category);
    Some(KnownMatter {
        id: alarm.id,
        reports: u32::try_from(alarm.members.len()).unwrap_or(u32::MAX),
        since,
        category: category.map(|surge| surge.key.clone()),
        members: alarm
            .members
            .into_iter()
            .filter(|member| member.branch == *branch)
            .map(|member| member.complaint)
            .collect(),
        title: alarm.body.title,
        pieces: alarm.body.pieces,
        say: alarm.body.say,
    })
}
