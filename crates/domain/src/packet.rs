//! The handoff packet: a complaint's whole state in at most 4 KB, so that it
//! needs no predecessor and can overtake (architecture.md, "One owner, fencing
//! number").

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::BranchCode;
use crate::intake::Intake;
use crate::recusal::Recusal;
use crate::reference::ReferenceNumber;
use crate::state::{Complexity, Grade};
use crate::text::cut_bytes;

/// Bytes a packet may have as JSON. The event around it (ids, stamp, actor)
/// stays under 1 KB, so that the whole stays within 4 KB.
pub const PACKET_LIMIT: usize = 3072;

/// What the experts need to begin, without waiting for the ordinary lane.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandoffPacket {
    pub reference: ReferenceNumber,
    pub branch: BranchCode,
    pub arrived_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub late: bool,
    pub intake: Intake,
    /// Whether texts of the intake are cut here; the ordinary lane brings them whole.
    pub cut: bool,
    pub grade: Grade,
    pub complexity: Complexity,
    pub cycle: u32,
    /// Whom it is about: they may not see it in the queue for a moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recused: Vec<Recusal>,
    /// The desk's ordinary-lane counter when this was written: events up to it
    /// are this packet's history, later ones are news.
    #[cfg_attr(feature = "specta", specta(type = u32))]
    pub upto_n: u64,
}

impl HandoffPacket {
    /// The packet with its longest texts cut until its JSON, measured by
    /// `measure` in bytes, is within [`PACKET_LIMIT`].
    pub fn fitted(mut self, measure: impl Fn(&Self) -> usize) -> Self {
        loop {
            let excess = measure(&self).saturating_sub(PACKET_LIMIT);
            if excess == 0 || !self.cut_longest(excess) {
                return self;
            }
            self.cut = true;
        }
    }

    /// Cuts the longest text by about `excess` bytes, at least by a quarter of
    /// it and never below the length of the next. False when nothing is left to cut.
    fn cut_longest(&mut self, excess: usize) -> bool {
        let intake = &mut self.intake;
        let mut texts: Vec<&mut String> = vec![
            &mut intake.description,
            &mut intake.remedy_sought,
            &mut intake.cause,
            &mut intake.business,
            &mut intake.place,
            &mut intake.email,
            &mut intake.name,
            &mut intake.account,
            &mut intake.id_number,
        ];
        texts.extend(intake.links.iter_mut());
        texts.extend(intake.group.iter_mut().map(|contact| &mut contact.name));
        if let Some(r) = &mut intake.representative {
            texts.extend([&mut r.proof, &mut r.name]);
        }
        for recusal in &mut self.recused {
            texts.extend([&mut recusal.reason, &mut recusal.name]);
        }
        let Some(longest) = texts.into_iter().max_by_key(|text| text.len()) else {
            return false;
        };
        if longest.is_empty() {
            return false;
        }
        // JSON may need two to six bytes for one (escapes), so the excess is an upper bound.
        let keep = longest
            .len()
            .saturating_sub(excess.max(1))
            .max(longest.len() / 4 * 3);
        let keep = keep.min(longest.len() - 1);
        let cut = cut_bytes(longest, keep).to_owned();
        *longest = cut;
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::intake::{Contact, Representative};

    fn packet(intake: Intake) -> HandoffPacket {
        HandoffPacket {
            reference: "CQ0123-260721-A-0042".parse().unwrap_or_else(|_| {
                ReferenceNumber::compose(
                    &"CQ0123".parse().unwrap(),
                    chrono::NaiveDate::from_ymd_opt(2026, 7, 21).unwrap(),
                    "A",
                    42,
                )
                .unwrap()
            }),
            branch: "CQ0123".parse().unwrap(),
            arrived_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            recorded_at: DateTime::from_timestamp(1_790_000_100, 0).unwrap(),
            late: false,
            intake,
            cut: false,
            grade: Grade::Two,
            complexity: Complexity::Complex,
            cycle: 1,
            recused: Vec::new(),
            upto_n: 7,
        }
    }

    fn size(packet: &HandoffPacket) -> usize {
        serde_json::to_vec(packet).unwrap().len()
    }

    #[test]
    fn a_short_packet_is_left_whole() {
        let whole = packet(Intake {
            description: "断网".into(),
            ..Intake::default()
        });
        assert_eq!(whole.clone().fitted(size), whole);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_packet_fits_and_keeps_how_to_reach_the_customer(
            description in "\\PC{0,20000}", remedy in "\\PC{0,2000}", line in "\\PC{0,200}",
        ) {
            let contact = Contact { name: line.chars().take(80).collect(), phone: "13800138000".into() };
            let full = packet(Intake {
                description, remedy_sought: remedy, phone: "13900139000".into(),
                place: line.clone(), cause: line.clone(), business: line.clone(),
                links: vec![line.chars().take(80).collect(); 20],
                group: vec![contact; 5],
                representative: Some(Representative {
                    name: line.chars().take(80).collect(), phone: "13700137000".into(), proof: line,
                }),
                ..Intake::default()
            });
            let fitted = full.fitted(size);
            prop_assert!(size(&fitted) <= PACKET_LIMIT);
            prop_assert_eq!(fitted.intake.phone, "13900139000");
            prop_assert_eq!(fitted.intake.representative.unwrap().phone, "13700137000");
        }
    }
}
