//! What the ledger says about the claims, against what the experts were told.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use suda_domain::fact::ReleaseCause;
use suda_domain::{ComplaintId, Fact, StaffId, State};
use suda_hub::store::{Reader, Store, Stored};

use super::city::City;
use super::crowd::Done;

#[derive(Default)]
pub struct Found {
    /// Claims of an order that somebody held.
    pub claimed_twice: usize,
    /// Orders that are in nobody's hands, or in those of a dead expert.
    pub lost: usize,
    /// Claims an expert was told of that the ledger does not have, and claims
    /// it has that nobody was told of.
    pub unknown_to_the_ledger: usize,
    pub lapsed: usize,
    /// Taken away before the lease had run out.
    pub returned_early: usize,
    /// The longest time from the end of a lease to the order's return.
    pub latest_return: Duration,
    pub events: u64,
    pub fault: Option<String>,
}

type Claims = BTreeMap<(ComplaintId, StaffId), i64>;

pub async fn read(store: &dyn Store, city: &City, done: &Done) -> anyhow::Result<Found> {
    let verified = store.verify().await?;
    let mut found = Found {
        events: verified.events,
        fault: verified
            .fault
            .map(|fault| format!("{}: {}", fault.row, fault.reason)),
        ..Found::default()
    };
    let mut claims = Claims::new();
    for (order, expert) in &done.won {
        if let Some(expert) = city.experts.get(*expert) {
            *claims.entry((*order, expert.id)).or_default() += 1;
        }
    }
    for order in &city.orders {
        one(
            &mut found,
            &mut claims,
            *order,
            &store.timeline(*order, Reader::Program).await?,
        )?;
        let held = store.complaint(*order, Reader::Program).await?;
        let worked_on = held.is_some_and(|held| {
            let claim = held.complaint.claim.as_ref().map(|claim| claim.expert);
            let alive = city
                .experts
                .iter()
                .any(|expert| Some(expert.id) == claim && !expert.dies);
            held.complaint.state == State::Analysed && alive
        });
        found.lost += usize::from(!worked_on);
    }
    found.unknown_to_the_ledger = claims.values().filter(|count| **count != 0).count();
    Ok(found)
}

fn one(
    found: &mut Found,
    claims: &mut Claims,
    order: ComplaintId,
    lines: &[Stored],
) -> anyhow::Result<()> {
    let mut until: Option<DateTime<Utc>> = None;
    for line in lines {
        let event = line.sealed.open()?;
        match event.fact {
            Fact::Claimed { until: lease, .. } => {
                found.claimed_twice += usize::from(until.is_some());
                until = Some(lease);
                if let Some(expert) = event.actor.staff {
                    *claims.entry((order, expert)).or_default() -= 1;
                }
            }
            Fact::Released { cause, .. } => {
                if let (ReleaseCause::LeaseExpired, Some(lease)) = (cause, until.take()) {
                    found.lapsed += 1;
                    match (event.at.wall - lease).to_std() {
                        Ok(late) => found.latest_return = found.latest_return.max(late),
                        Err(_) => found.returned_early += 1,
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
