//! What an alarm is called: the pieces its members have in common and other
//! complaints have not, without a number or the name of a person.

use std::collections::{HashMap, VecDeque};

use suda_domain::{Complaint, ComplaintId};
use suda_judge::pieces::{self, Readied};

use crate::hub::Hub;
use crate::store::Result;
use crate::twins::told;

/// Pieces of a title.
const PIECES: usize = 4;
/// Members that are compared.
const COMPARED: usize = 24;
/// Complaints kept in mind to know what is said everywhere.
const REMEMBERED: usize = 400;
/// What stands in so many hundredths of other complaints says nothing, once
/// there are enough of them.
const EVERYWHERE: usize = 4;
const ENOUGH: usize = 3;

/// The latest complaints, to know empty talk by.
#[derive(Debug, Default)]
pub(super) struct Talk(VecDeque<(ComplaintId, Readied)>);

impl Talk {
    pub(super) fn hear(&mut self, id: ComplaintId, text: &str) {
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((id, Readied::new(text)));
    }

    /// Whether others say it as well.
    fn says(&self, piece: &str, but: &[&Complaint]) -> bool {
        let others = self.0.iter();
        let others = others.filter(|(id, _)| but.iter().all(|one| one.id != *id));
        let (mut all, mut with) = (0, 0);
        for (_, text) in others {
            all += 1;
            with += usize::from(text.holds(piece));
        }
        with >= ENOUGH && with * 100 > all * EVERYWHERE
    }
}

/// The pieces that name what these complaints have in common.
pub(super) async fn pieces_of(
    hub: &Hub,
    talk: &Talk,
    members: &[Complaint],
) -> Result<Vec<String>> {
    let members: Vec<&Complaint> = members.iter().take(COMPARED).collect();
    let staff = hub.store.staff().await?;
    let people = staff.iter().map(|one| one.name.as_str());
    let names: Vec<String> = people
        .chain(members.iter().flat_map(|member| names(member)))
        .map(|name| name.trim().to_lowercase())
        .filter(|name| name.chars().count() >= 2)
        .collect();
    let named = |piece: &str| {
        let named = |name: &String| name.contains(piece) || piece.contains(name.as_str());
        names.iter().any(named)
    };
    let texts: Vec<Readied> = members
        .iter()
        .map(|member| Readied::new(&told(&member.intake)))
        .collect();
    let least = (texts.len() * 3).div_ceil(4).max(2);
    Ok(pieces::shared(&texts, least, PIECES, |piece| {
        named(piece) || talk.says(piece, &members)
    }))
}

fn names(of: &Complaint) -> impl Iterator<Item = &str> {
    let intake = &of.intake;
    let group = intake.group.iter().map(|one| one.name.as_str());
    let representative = intake.representative.iter().map(|one| one.name.as_str());
    std::iter::once(intake.name.as_str())
        .chain(group)
        .chain(representative)
}

/// The category of most of them.
pub(super) fn category_of(members: &[Complaint]) -> String {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for member in members {
        *counts.entry(&member.intake.category).or_default() += 1;
    }
    let most = counts
        .into_iter()
        .max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
    most.map(|(category, _)| category.to_owned())
        .unwrap_or_default()
}
