//! Complaints told by telephone find their record by themselves, by whatever
//! way it arrives: the notes become notes of the complaint, the expert who has
//! looked after it has it claimed, and the stub is over. Every step has a key
//! of its own, so that several processes, or a second try, do it once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::staff::StaffRecord;
use suda_domain::{Actor, BranchCode, Complaint, ComplaintId, Fact, LeaseId, StaffId, State};
use suda_sync::phone::PhoneCode;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use uuid::Uuid;

use crate::hub::Hub;
use crate::queue::steps;
use crate::store::{
    Decide, Held, PhoneNote, PhoneStub, Reader, Result, StepError, StepRefused, Touched,
};

/// Everything is looked through again after so long.
const LOOK: Duration = Duration::from_secs(30);
/// Changes within this time are looked at together.
const TOGETHER: Duration = Duration::from_millis(50);
/// How far back records are looked for. A code is only as good as the number
/// of complaints it tells apart; see [`suda_sync::phone`].
const BACK: TimeDelta = TimeDelta::days(60);
/// Tries to end a stub that gets more notes meanwhile.
const TRIES: u32 = 5;

/// Which complaints have changed, by branch.
type News = HashMap<BranchCode, Vec<ComplaintId>>;

/// Joins stubs with records as they arrive, until the store closes.
pub async fn run(hub: &Hub) {
    let mut feed = hub.store.feed();
    let mut news = None;
    loop {
        if let Err(error) = join_arrived(hub, news.as_ref()).await {
            tracing::warn!(%error, "what was told by telephone could not be joined; tried again");
        }
        news = match tokio::time::timeout(LOOK, feed.recv()).await {
            Ok(Ok(touched)) => gather(&mut feed, touched).await,
            Ok(Err(RecvError::Closed)) => return,
            Ok(Err(RecvError::Lagged(_))) | Err(_) => None,
        };
    }
}

/// What changed and what changed right after; nothing when that is not known.
async fn gather(feed: &mut Receiver<Arc<Touched>>, first: Arc<Touched>) -> Option<News> {
    let mut news = News::new();
    let mut next = Ok(first);
    tokio::time::sleep(TOGETHER).await;
    loop {
        match next {
            Ok(touched) if touched.everything => return None,
            Ok(touched) => {
                for one in &touched.complaints {
                    news.entry(one.branch.clone()).or_default().push(one.id);
                }
            }
            Err(TryRecvError::Lagged(_)) => return None,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(news),
        }
        next = feed.try_recv();
    }
}

/// Joins what can be joined, among the `news` or, without any, among
/// everything of the last two months. Gives how many.
async fn join_arrived(hub: &Hub, news: Option<&News>) -> Result<usize, StepError> {
    if news.is_some_and(HashMap::is_empty) {
        return Ok(0);
    }
    let mut joined = 0;
    for stub in hub.store.open_stubs().await? {
        let among = match news {
            Some(news) => news.get(&stub.branch).cloned().unwrap_or_default(),
            None => recent(hub, &stub.branch).await?,
        };
        let (id, done) = (stub.id, join_among(hub, stub, &among).await);
        match done {
            Ok(found) => joined += usize::from(found.is_some()),
            // It stays in the queue, with its alarm; the others go on.
            Err(StepError::Refused(error)) => {
                tracing::warn!(stub = %id, %error, "a note does not fit its complaint");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(joined)
}

async fn recent(hub: &Hub, branch: &BranchCode) -> Result<Vec<ComplaintId>> {
    let since = hub.clock.now() - BACK;
    hub.store.arrived_since(branch, since).await
}

/// Joins a stub with its record if that is there. Gives the record.
pub async fn join(hub: &Hub, stub: PhoneStub) -> Result<Option<ComplaintId>, StepError> {
    let among = recent(hub, &stub.branch).await?;
    join_among(hub, stub, &among).await
}

async fn join_among(
    hub: &Hub,
    mut stub: PhoneStub,
    among: &[ComplaintId],
) -> Result<Option<ComplaintId>, StepError> {
    let Some(id) = among
        .iter()
        .copied()
        .find(|id| PhoneCode::of(*id) == stub.code)
    else {
        return Ok(None);
    };
    let held = hub.store.complaint(id, Reader::Program).await?;
    if held.is_none_or(|held| is_on_its_way(held.complaint.state)) {
        return Ok(None);
    }
    take_over(hub, &stub, id).await?;
    for _ in 0..TRIES {
        for note in &stub.notes {
            write_down(hub, note, id).await?;
        }
        let (notes, now) = (stub.notes.len(), hub.clock.now());
        if hub.store.join_stub(stub.id, id, notes, now).await? {
            tracing::info!(complaint = %id, "what was told by telephone has found its record");
            return Ok(Some(id));
        }
        match hub.store.stub(stub.id, Reader::Program).await? {
            Some(after) if after.joined.is_none() && after.closed_at.is_none() => stub = after,
            Some(after) => return Ok(after.joined.map(|(id, _)| id)),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// The branch still has it, and its handoff may follow.
fn is_on_its_way(state: State) -> bool {
    matches!(
        state,
        State::Draft | State::Recorded | State::Assessed | State::HandoffPending
    )
}

/// The expert who has looked after it claims it, unless somebody else has.
async fn take_over(hub: &Hub, stub: &PhoneStub, id: ComplaintId) -> Result<(), StepError> {
    let Some(expert) = actor(hub, stub.held_by).await? else {
        return Ok(());
    };
    let time = hub.store.settings().await?.time;
    let until = steps::lease_end(time.latest(), hub.clock.now());
    let claimed = hub.step(id, expert.clone(), Some(stub.id), claim(expert, until));
    unless_barred(claimed.await)
}

/// A claim where the rules allow one, and otherwise nothing.
fn claim(expert: Actor, until: DateTime<Utc>) -> Decide {
    Box::new(move |held: &Held| {
        let fact = Fact::Claimed {
            lease: LeaseId(Uuid::now_v7()),
            until,
        };
        let free = held.complaint.claim.is_none() && held.complaint.state == State::Queued;
        let may = free && held.complaint.admit(&expert, &fact).is_ok();
        Ok(if may { vec![fact] } else { Vec::new() })
    })
}

async fn write_down(hub: &Hub, note: &PhoneNote, id: ComplaintId) -> Result<(), StepError> {
    let Some(author) = actor(hub, note.by).await? else {
        return Ok(());
    };
    let text = note.text.clone();
    let noted = steps::plain(Fact::Noted { text });
    unless_barred(hub.step(id, author, Some(note.id), noted).await)
}

/// The complaint told of was about the expert who took the call, or about
/// somebody below them. It goes on without them; what they wrote down stays
/// with the stub.
fn unless_barred(done: Result<Complaint, StepError>) -> Result<(), StepError> {
    match done {
        Err(StepError::Refused(StepRefused::Barred)) => Ok(()),
        done => done.map(drop),
    }
}

async fn actor(hub: &Hub, staff: StaffId) -> Result<Option<Actor>> {
    let record = hub.store.staff_member(staff).await?;
    Ok(record.map(
        |StaffRecord {
             id,
             name,
             role,
             branch,
             ..
         }| Actor {
            staff: Some(id),
            name,
            role,
            branch,
        },
    ))
}
