//! The checks of a ledger that are the same in every store: the hub's chain
//! over its log, each lane's own chain, and a complaint folded anew against
//! its row. Pure; a store reads the rows and hands them over in order.

use std::collections::{BTreeSet, HashMap};
use suda_domain::time::Timekeeping;

use sha2::{Digest as _, Sha256};
use suda_domain::{Complaint, DeviceId, Lane, LedgerEvent, Lines};
use suda_sync::{Hash, SealedEvent};
use uuid::Uuid;

use super::row::Row;
use super::value::{count, ms, parsed, sealed};
use super::{Fault, Result, StoreError};

pub type LaneKey = (DeviceId, u32, Lane);

/// A line of the log: seq, branch, complaint, device, incarnation, lane, n,
/// body, prev, hash, chain.
pub type LogRow = (
    i64,
    String,
    Uuid,
    Uuid,
    i64,
    i64,
    i64,
    String,
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
);

/// A complaint's row: id, reference, branch, state, rank, due, in_queue,
/// with_team, claimed_by, alert_pending, arrived_at, queued_at, handoff_due,
/// tell_at, told, body.
pub type ComplaintRow = (
    Uuid,
    String,
    String,
    String,
    i64,
    i64,
    bool,
    bool,
    Option<Uuid>,
    bool,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    i64,
    String,
);

/// What somebody has to do, as it is stored: kind, item, holder, at.
pub type DutyRow = (String, Uuid, String, i64);

/// Compares what is stored of a complaint's duties with what follows from it;
/// its row is known to say what the ledger says.
pub fn duties(row: &ComplaintRow, stored: &[DutyRow]) -> Result<Option<Fault>> {
    let complaint: Complaint = parsed(&row.15)?;
    let due = suda_domain::duty::duties(&complaint).into_iter();
    let due: BTreeSet<DutyRow> = due
        .map(|duty| {
            let kind = duty.kind.name().to_owned();
            (kind, duty.item, duty.holder.to_string(), ms(duty.at))
        })
        .collect();
    let stored: BTreeSet<DutyRow> = stored.iter().cloned().collect();
    Ok(due.symmetric_difference(&stored).next().map(|duty| {
        fault(
            format!("duty {} {} {}", row.0, duty.0, duty.1),
            "it is not what the complaint gives",
        )
    }))
}

pub fn fault(row: impl Into<String>, reason: impl Into<String>) -> Fault {
    Fault {
        row: row.into(),
        reason: reason.into(),
    }
}

/// What is wrong with the file of a letter the ledger names, if anything.
pub fn letter_fault(reference: &str, id: &str, named: &str, hash: Option<String>) -> Option<Fault> {
    let reason = match hash {
        Some(hash) if hash == named => return None,
        Some(_) => "its bytes do not give the hash in the ledger",
        None => "its file is missing",
    };
    Some(fault(
        format!("letter {id} of complaint {reference}"),
        reason,
    ))
}

/// The hub's chain over its log: SHA-256(chain before || hash of the event).
pub fn link(chain: &[u8], hash: &[u8; 32]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(chain);
    hasher.update(hash);
    hasher.finalize().to_vec()
}

/// Where each lane's events end, while the log is read.
pub struct Lanes {
    aside: HashMap<LaneKey, HashMap<u64, Hash>>,
    pub ends: HashMap<LaneKey, (u64, Hash)>,
}

impl Lanes {
    /// Before the log; `aside` are the numbers that were set aside.
    pub fn new(aside: HashMap<LaneKey, HashMap<u64, Hash>>) -> Self {
        Self {
            aside,
            ends: HashMap::new(),
        }
    }

    /// Steps over numbers that were set aside.
    pub fn skip_aside(&mut self, key: LaneKey) {
        let end = self.ends.entry(key).or_insert((0, Hash::START));
        if let Some(aside) = self.aside.get(&key) {
            while let Some(of) = aside.get(&(end.0 + 1)) {
                *end = (end.0 + 1, *of);
            }
        }
    }

    /// Puts the next logged event at the lane's end; gives what is wrong.
    fn append(&mut self, key: LaneKey, n: u64, event: &SealedEvent) -> Option<String> {
        self.skip_aside(key);
        let end = self.ends.entry(key).or_insert((0, Hash::START));
        if n != end.0 + 1 {
            return Some(format!("number {n} follows {} in its lane", end.0));
        }
        if event.prev != end.1 {
            return Some("it names another predecessor than its lane has".into());
        }
        *end = (n, event.hash);
        None
    }
}

/// What is wrong with one line of the log.
pub fn line(row: LogRow, expected: u64, chain: &mut Vec<u8>, lanes: &mut Lanes) -> Option<String> {
    let (seq, branch, complaint, device, incarnation, on, n, body, prev, of, stored_chain) = row;
    if count(seq) != expected {
        return Some(format!("line {expected} is missing"));
    }
    let sealed = match sealed(body, &prev, &of) {
        Ok(sealed) => sealed,
        Err(error) => return Some(error.to_string()),
    };
    if !sealed.hash_fits() {
        return Some("the contents do not give the hash".into());
    }
    *chain = link(chain, &sealed.hash.0);
    if *chain != stored_chain {
        return Some("the hub's chain is broken here".into());
    }
    let event: LedgerEvent = match parsed(sealed.body.get()) {
        Ok(event) => event,
        Err(error) => return Some(error.to_string()),
    };
    let key = event.key;
    let columns_fit = event.complaint.0 == complaint
        && key.device.0 == device
        && i64::from(key.incarnation) == incarnation
        && i64::from(key.lane.number()) == on
        && key.n == count(n)
        && event
            .actor
            .branch
            .as_ref()
            .is_none_or(|acting| acting.as_str() == branch);
    if !columns_fit {
        return Some("the columns do not say what the contents say".into());
    }
    lanes.append((key.device, key.incarnation, key.lane), key.n, &sealed)
}

/// What is wrong with a complaint's row.
pub fn refold(row: &ComplaintRow, events: &[String], keep: &Timekeeping) -> Option<String> {
    match fold(events) {
        Ok(Some(folded)) => difference(row, &folded, keep),
        Ok(None) => Some("it has no events".into()),
        Err(reason) => Some(reason),
    }
}

/// What a complaint's row has to be where it is something else. A ledger that
/// gives nothing is left to the check, which names it.
pub fn made_anew(row: &ComplaintRow, events: &[String], keep: &Timekeeping) -> Option<Complaint> {
    let folded = fold(events).ok().flatten()?;
    difference(row, &folded, keep).map(|_| folded)
}

fn difference(row: &ComplaintRow, folded: &Complaint, keep: &Timekeeping) -> Option<String> {
    let (
        _,
        reference,
        branch,
        state,
        rank,
        due,
        in_queue,
        with_team,
        claimed_by,
        alert,
        arrived,
        queued,
        hour,
        tell_at,
        told,
        body,
    ) = row;
    match parsed::<Complaint>(body) {
        Ok(stored) if stored == *folded => {}
        Ok(_) => return Some("its ledger gives another state than the row holds".into()),
        Err(error) => return Some(error.to_string()),
    }
    let expected = Row::of(folded, keep);
    let stored = Row {
        rank: *rank,
        due: *due,
        in_queue: *in_queue,
        with_team: *with_team,
        claimed_by: claimed_by.map(suda_domain::StaffId),
        alert_pending: *alert,
        queued_at: expected.queued_at,
        handoff_due: expected.handoff_due,
        tell_at: *tell_at,
        told: *told,
    };
    let columns_fit = stored == expected
        && *arrived == ms(folded.arrived_at)
        && *queued == expected.queued_at.map(ms)
        && *hour == expected.handoff_due.map(ms)
        && reference == folded.reference.as_str()
        && branch == folded.branch.as_str()
        && state == folded.state.name();
    (!columns_fit).then(|| "its columns are not what its ledger gives".into())
}

pub fn fold(events: &[String]) -> Result<Option<Complaint>, String> {
    let mut complaint: Option<Complaint> = None;
    for body in events {
        let event: LedgerEvent = parsed(body).map_err(|error: StoreError| error.to_string())?;
        match &mut complaint {
            None => {
                complaint = Some(Complaint::open(&event).map_err(|refusal| refusal.to_string())?)
            }
            Some(complaint) => {
                complaint
                    .apply(&event)
                    .map_err(|refusal| refusal.to_string())?;
            }
        }
    }
    Ok(complaint)
}

/// What is derived beside the rows of complaints: complaint and member of
/// staff, complaint and the other it refers to, with how.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Beside {
    pub barred: BTreeSet<(Uuid, Uuid)>,
    pub links: BTreeSet<(Uuid, Uuid, String)>,
}

/// Whether what is stored beside follows from these complaints, which are all
/// that bar somebody or refer to another.
pub fn beside(bodies: &[String], lines: &Lines, stored: &Beside) -> Result<Option<Fault>> {
    let mut due = Beside::default();
    for body in bodies {
        let complaint: Complaint = parsed(body)?;
        let id = complaint.id.0;
        let barred = lines.own(&complaint).into_iter();
        due.barred.extend(barred.map(|staff| (id, staff.0)));
        let links = complaint.links.iter();
        due.links
            .extend(links.map(|link| (id, link.to.0, link.relation.name().to_owned())));
    }
    let barred = due.barred.symmetric_difference(&stored.barred).next();
    let link = due.links.symmetric_difference(&stored.links).next();
    Ok(match (barred, link) {
        (Some((id, _)), _) => Some(fault(
            format!("complaint {id}"),
            "whom it bars is not what its ledger and the directory give",
        )),
        (None, Some((id, ..))) => Some(fault(
            format!("complaint {id}"),
            "its links are not what its ledger gives",
        )),
        (None, None) => None,
    })
}
