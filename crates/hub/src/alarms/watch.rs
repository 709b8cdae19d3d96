//! Bursts over all branches, by the time complaints were captured: what comes
//! in late is put where it belongs, so that a branch that was cut off for days
//! raises nothing that its days would not have raised.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::alarm::AlarmKind;
use suda_domain::{Complaint, ComplaintId};
use suda_judge::bursts::{Burst, BurstPolicy, Bursts};
use suda_judge::pieces::{self, Readied};
use uuid::Uuid;

use super::MOST_OPEN;
use super::title::{Talk, category_of, pieces_of};
use crate::hub::Hub;
use crate::store::alarms::{AlarmBody, AlarmsAsked, Member, NewAlarm, Raised};
use crate::store::{Reader, Result};
use crate::twins::{Twin, blocking, line_of, told};

/// Reports kept in mind, the newest by capture; a fourth more before the
/// oldest are forgotten.
const MOST: usize = 30_000;
/// A complaint captured so long before the last one is put into its place,
/// and what followed it is judged again. Branches are never quite alike fast.
const IN_ORDER: TimeDelta = TimeDelta::hours(20);
/// Between two judgings of everything: so many times as long as the last took,
/// so that most of a processor is left to others, and at least this long.
const RESTS: u32 = 20;
const LEAST_REST: Duration = Duration::from_secs(1);
/// What came to its end longer ago is history, as rows of the past that are
/// taken in, and no warning.
const FRESH: TimeDelta = TimeDelta::days(30);
/// Neighbours asked for when a complaint may belong to an open alarm.
const NEIGHBOURS: usize = 20;

/// A complaint as bursts are judged by.
#[derive(Clone, Debug)]
struct Report {
    id: ComplaintId,
    captured_at: DateTime<Utc>,
    text: String,
}

/// What the process that watches has in mind.
pub(super) struct Watch {
    bursts: Bursts,
    /// By number.
    reports: Vec<Report>,
    seen: HashSet<ComplaintId>,
    cursor: u64,
    /// Captured last of those judged.
    last: Option<DateTime<Utc>>,
    talk: Talk,
    /// Complaints of open bursts.
    members: HashMap<ComplaintId, Uuid>,
    /// What names each open burst.
    named: HashMap<Uuid, Vec<String>>,
    /// Captured long before what has been judged: judged with everything anew.
    late: Vec<Report>,
    /// Everything may be judged again from then on.
    rested_at: Instant,
}

impl Watch {
    /// With nothing judged yet; the first look takes everything in.
    pub(super) async fn begin(hub: &Hub) -> Result<Self> {
        let window = TimeDelta::days(BurstPolicy::default().window);
        let cursor = line_of(hub.store.as_ref(), hub.clock.now() - window).await?;
        let (members, named) = open_bursts(hub).await?;
        Ok(Self {
            bursts: Bursts::default(),
            reports: Vec::new(),
            seen: HashSet::new(),
            cursor,
            last: None,
            talk: Talk::default(),
            members,
            named,
            late: Vec::new(),
            rested_at: Instant::now(),
        })
    }

    /// Takes in what the ledger has told since and raises what it amounts to.
    pub(super) async fn look(&mut self, hub: &Hub) -> Result<()> {
        let mut new = self.read(hub).await?;
        // By capture, whichever branch got through first.
        new.sort_by_key(|report| (report.captured_at, report.id));
        for report in &new {
            self.talk.hear(report.id, &report.text);
        }
        let in_order = self.last.map(|last| last - IN_ORDER);
        let is_late = |report: &Report| in_order.is_some_and(|from| report.captured_at < from);
        let (late, ordered) = new.iter().cloned().partition(is_late);
        let late: Vec<Report> = late;
        self.late.extend(late);
        let mut told = self.judge(ordered).await?;
        let too_many = self.reports.len() > MOST + MOST / 4;
        let rested = Instant::now() >= self.rested_at;
        if too_many || (rested && !self.late.is_empty()) {
            told = self.judge_again().await?;
        }
        for burst in told {
            self.raise(hub, &burst).await?;
        }
        if !self.members.is_empty() {
            self.join(hub, &new).await?;
        }
        Ok(())
    }

    async fn read(&mut self, hub: &Hub) -> Result<Vec<Report>> {
        let mut new = Vec::new();
        loop {
            let page = hub.store.first_told(self.cursor).await?;
            for (_, complaint) in page.cases {
                if self.seen.insert(complaint.id) {
                    new.push(Report {
                        id: complaint.id,
                        captured_at: complaint.arrived_at,
                        text: told(&complaint.intake),
                    });
                }
            }
            self.cursor = page.cursor;
            if !page.more {
                return Ok(new);
            }
        }
    }

    /// Judges reports behind those judged before.
    async fn judge(&mut self, new: Vec<Report>) -> Result<Vec<Burst>> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let mut bursts = std::mem::take(&mut self.bursts);
        let mut last = self.last;
        let judging = move || {
            let mut told = Vec::new();
            for report in &new {
                // One that is a little late counts as just come.
                let at = last.map_or(report.captured_at, |last| last.max(report.captured_at));
                told.extend(bursts.report(at.timestamp(), &[&report.text]));
                last = Some(at);
            }
            (bursts, last, told, new)
        };
        let (bursts, last, told, new) = blocking(judging).await?;
        self.bursts = bursts;
        self.last = last;
        self.reports.extend(new);
        Ok(told)
    }

    /// Judges everything anew, each report at its place.
    async fn judge_again(&mut self) -> Result<Vec<Burst>> {
        let mut all = std::mem::take(&mut self.reports);
        all.append(&mut self.late);
        all.sort_by_key(|report| (report.captured_at, report.id));
        let all = all.split_off(all.len().saturating_sub(MOST));
        self.bursts = Bursts::default();
        self.last = None;
        let began = Instant::now();
        let told = self.judge(all).await;
        self.rested_at = Instant::now() + LEAST_REST.max(began.elapsed() * RESTS);
        told
    }

    async fn raise(&mut self, hub: &Hub, burst: &Burst) -> Result<()> {
        let of = burst
            .members
            .iter()
            .filter_map(|&one| self.reports.get(one));
        let ids: Vec<ComplaintId> = of.map(|report| report.id).collect();
        let mut cases = hub.store.cases(&ids, Reader::Program).await?;
        cases.sort_by_key(|case| (case.arrived_at, case.id));
        let (now, last) = (hub.clock.now(), cases.last().map(|case| case.arrived_at));
        let Some(first) = cases.first().filter(|_| last >= Some(now - FRESH)) else {
            return Ok(());
        };
        let name = format!("burst:{}", first.id);
        let pieces = pieces_of(hub, &self.talk, &cases).await?;
        let named = pieces.clone();
        let alarm = NewAlarm {
            id: Uuid::now_v7(),
            kind: AlarmKind::Burst,
            series: name.clone(),
            name,
            raised_at: now,
            body: AlarmBody {
                title: pieces.join(" · "),
                pieces,
                category: category_of(&cases),
                ..AlarmBody::default()
            },
            members: cases.iter().map(member).collect(),
        };
        let id = match hub.store.raise_alarm(&alarm).await? {
            Raised::Known(id) => id,
            Raised::New => {
                tracing::warn!(alarm = %alarm.id, members = cases.len(), "a burst of one matter");
                self.named.insert(alarm.id, named);
                alarm.id
            }
        };
        self.members.extend(cases.iter().map(|case| (case.id, id)));
        Ok(())
    }

    /// New complaints that tell of what an open alarm is about make it grow: by
    /// what names it, as the counters know it again, or by the rule by which a
    /// report joins a group.
    async fn join(&mut self, hub: &Hub, new: &[Report]) -> Result<()> {
        if !new.is_empty() {
            hub.twins
                .catch_up(hub.store.as_ref(), hub.clock.now())
                .await?;
        }
        // A question each: after a start only the latest are asked for.
        let fresh = hub.clock.now() - FRESH;
        for report in new.iter().filter(|report| report.captured_at >= fresh) {
            if self.members.contains_key(&report.id) {
                continue;
            }
            let (twins, text) = (hub.twins.clone(), report.text.clone());
            let near = blocking(move || twins.find(&text, NEIGHBOURS)).await?;
            let told = self.tells_of(&report.text);
            let Some(alarm) = told.or_else(|| self.belongs(report.id, &near)) else {
                continue;
            };
            let cases = hub.store.cases(&[report.id], Reader::Program).await?;
            let members: Vec<Member> = cases.iter().map(member).collect();
            hub.store.join_alarm(alarm, &members).await?;
            self.members.insert(report.id, alarm);
        }
        Ok(())
    }

    fn tells_of(&self, text: &str) -> Option<Uuid> {
        let text = Readied::new(text);
        let named = self.named.iter();
        let told = named.filter_map(|(id, pieces)| {
            let found = pieces::tells_of(pieces, &text)?;
            Some((found.len(), *id))
        });
        told.max().map(|(_, id)| id)
    }

    /// The open alarm whose two nearest members are as near as a group asks.
    fn belongs(&self, id: ComplaintId, near: &[Twin]) -> Option<Uuid> {
        let near = near.iter().filter(|twin| twin.id != id);
        let mut of: HashMap<Uuid, Vec<f32>> = HashMap::new();
        for twin in near {
            if let Some(&alarm) = self.members.get(&twin.id) {
                of.entry(alarm).or_default().push(twin.score);
            }
        }
        let nearest = of.into_iter().filter_map(|(alarm, scores)| {
            let two = scores.get(..2)?;
            Some((alarm, two.iter().sum::<f32>() / 2.0))
        });
        let best = nearest.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
        (best.1 >= BurstPolicy::default().joins).then_some(best.0)
    }
}

pub(super) fn member(of: &Complaint) -> Member {
    Member {
        complaint: of.id,
        branch: of.branch.clone(),
        captured_at: of.arrived_at,
    }
}

/// The complaints of open bursts, and what names each.
async fn open_bursts(
    hub: &Hub,
) -> Result<(HashMap<ComplaintId, Uuid>, HashMap<Uuid, Vec<String>>)> {
    let asked = AlarmsAsked {
        limit: MOST_OPEN,
        ..AlarmsAsked::default()
    };
    let open = hub.store.alarms(&asked, Reader::Program).await?;
    let (mut members, mut named) = (HashMap::new(), HashMap::new());
    for alarm in open.into_iter().filter(|one| one.kind == AlarmKind::Burst) {
        members.extend(
            alarm
                .members
                .iter()
                .map(|member| (member.complaint, alarm.id)),
        );
        named.insert(alarm.id, alarm.body.pieces);
    }
    Ok((members, named))
}
