//! Changes as they are committed, told to the browsers that may see them
//! (server-sent events). Only what changed is told; the browser asks again.
//!
//! Events: `work_orders`, `tasks`, `board`, `quarantine`, `alarms` (no data) and
//! `complaint` with `{"id": …}`.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use futures::stream::unfold;
use suda_domain::ComplaintId;
use suda_domain::permission::{Right, has};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::error::ApiError;
use super::session::SignedIn;
use crate::hub::Hub;
use crate::store::{Touched, TouchedComplaint};

/// Told at once when alone; more within this time are told together.
const TOGETHER: Duration = Duration::from_millis(50);
/// A heartbeat, and the moment a sign-in that ended is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// More complaints than this are told by their lists alone.
const MOST_IDS: usize = 100;

/// The stream of changes.
#[utoipa::path(
    get, path = "/api/live", tag = "live",
    responses((status = 200, content_type = "text/event-stream", body = String), (status = "4XX", body = ApiError))
)]
pub async fn live(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let feed = hub.store.feed();
    // The first event says that the stream stands, so that the browser asks
    // for everything once and misses nothing after.
    let waiting = vec![Event::default().event("ready").data("{}")];
    let onlooker = Onlooker {
        hub,
        who,
        feed,
        waiting,
    };
    Sse::new(unfold(onlooker, Onlooker::next))
        .keep_alive(KeepAlive::new().interval(HEARTBEAT).text("still here"))
}

struct Onlooker {
    hub: Arc<Hub>,
    who: SignedIn,
    feed: Receiver<Arc<Touched>>,
    /// Events to be told, the next one last.
    waiting: Vec<Event>,
}

impl Onlooker {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.waiting.pop() {
                return Some((Ok(event), self));
            }
            let news = tokio::select! {
                () = self.hub.stopping.cancelled() => return None,
                news = tokio::time::timeout(HEARTBEAT, self.feed.recv()) => news,
            };
            match news {
                Err(_) => {
                    if !self.who.still_holds(&self.hub).await {
                        return None;
                    }
                }
                Ok(Err(RecvError::Closed)) => return None,
                Ok(Err(RecvError::Lagged(_))) => self.waiting = self.everything(),
                Ok(Ok(touched)) => self.waiting = self.gather(touched).await,
            }
        }
    }

    /// This change and those that follow at once.
    async fn gather(&mut self, first: Arc<Touched>) -> Vec<Event> {
        let mut news = News::default();
        news.add(&self.who, &first);
        tokio::time::sleep(TOGETHER).await;
        loop {
            match self.feed.try_recv() {
                Ok(touched) => news.add(&self.who, &touched),
                Err(TryRecvError::Lagged(_)) => return self.everything(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        news.events(&self.who)
    }

    /// After more changes than could be kept: look at all lists anew.
    fn everything(&self) -> Vec<Event> {
        News {
            lists: true,
            quarantine: true,
            alarms: true,
            ids: BTreeSet::new(),
        }
        .events(&self.who)
    }
}

#[derive(Default)]
struct News {
    lists: bool,
    quarantine: bool,
    alarms: bool,
    ids: BTreeSet<ComplaintId>,
}

impl News {
    fn add(&mut self, who: &SignedIn, touched: &Touched) {
        for one in touched.complaints.iter().filter(|one| concerns(who, one)) {
            self.lists = true;
            self.ids.insert(one.id);
        }
        self.quarantine |= touched.quarantine;
        self.alarms |= touched.alarms || touched.everything;
        self.lists |= touched.everything || touched.stubs;
    }

    fn events(self, who: &SignedIn) -> Vec<Event> {
        let role = who.role();
        let plain = |name: &str| Event::default().event(name).data("{}");
        let mut events = Vec::new();
        if self.quarantine && has(role, Right::MendQuarantine) {
            events.push(plain("quarantine"));
        }
        if self.alarms && has(role, Right::SeeAlarms) {
            events.push(plain("alarms"));
        }
        if self.lists && has(role, Right::SeeBoard) {
            events.push(plain("board"));
        }
        if self.ids.len() <= MOST_IDS {
            for id in self.ids {
                let data = serde_json::json!({ "id": id }).to_string();
                events.push(Event::default().event("complaint").data(data));
            }
        }
        if self.lists && has(role, Right::SeeOwnTasks) {
            events.push(plain("tasks"));
        }
        if self.lists && (has(role, Right::SeeAll) || has(role, Right::SeeOwnBranch)) {
            events.push(plain("work_orders"));
        }
        events
    }
}

fn concerns(who: &SignedIn, touched: &TouchedComplaint) -> bool {
    let role = who.role();
    if touched.barred.contains(&who.staff.id) {
        return false;
    }
    has(role, Right::SeeAll)
        || (has(role, Right::SeeOwnBranch) && who.staff.branch.as_ref() == Some(&touched.branch))
        || (has(role, Right::SeeOwnTasks) && touched.departments.contains(&who.staff.id))
}
