//! The second half of `rig restore`: every desk is put back to an older state of
//! its database, and then every desk is copied to another computer and both are
//! used. The hub has to find each at its first hello and give it a new
//! incarnation; what the old one had still to send arrives under new numbers.

use std::collections::BTreeSet;
use std::time::Instant;

use chrono::{TimeDelta, Utc};
use uuid::Uuid;

use super::{BACK_WITHIN, EVENTS, all};
use crate::rig::books::{EventMark, HubBooks};
use crate::rig::light::{LightDesk, Pace};
use crate::rig::{Dice, Report};
use crate::{City, Failure};

/// What is written somewhere and must be at the hub in the end.
#[derive(Default)]
struct Written {
    complaints: BTreeSet<Uuid>,
    /// Of desks that have synced since.
    events: BTreeSet<EventMark>,
}

impl Written {
    /// Each desk records one complaint. Copies write on days of their own: the
    /// number of a complaint is its desk's, so that of one day may be given twice,
    /// which is for a person to mend and is another rig's question.
    fn record(
        &mut self,
        desks: &mut [LightDesk],
        days_ago: i64,
        dice: &mut Dice,
    ) -> Result<(), Failure> {
        let at = Utc::now() - TimeDelta::days(days_ago);
        for desk in desks {
            let complaint = desk.pen.complaint(at, EVENTS, dice.is_one_in(3))?;
            self.complaints.insert(complaint.0);
        }
        Ok(())
    }

    fn note(&mut self, desks: &[LightDesk]) {
        self.events.extend(desks.iter().flat_map(LightDesk::marks));
    }

    fn missing(&self, books: &HubBooks) -> u64 {
        let complaints = self.complaints.difference(&books.complaints).count() as u64;
        complaints + books.missing(&self.events)
    }
}

/// Copies of the databases as they are, each for a computer of its own.
fn copies(desks: &[LightDesk], dice: &mut Dice) -> Result<Vec<LightDesk>, Failure> {
    let copy = |desk: &LightDesk| desk.copy(dice.below(u64::MAX));
    desks.iter().map(copy).collect()
}

fn found_at_first_hello(desks: &[LightDesk]) -> usize {
    let found = |desk: &&LightDesk| desk.met.renewed_at_hello == Some(1);
    desks.iter().filter(found).count()
}

fn renewed(desks: &[LightDesk]) -> usize {
    let renewed = |desk: &&LightDesk| desk.met.renewed_at_hello.is_some();
    desks.iter().filter(renewed).count()
}

/// `desks` are level with the hub.
pub(super) async fn run(
    city: &City,
    desks: Vec<LightDesk>,
    dice: &mut Dice,
    report: &mut Report,
) -> Result<(), Failure> {
    let count = desks.len();
    let mut written = Written::default();
    written.note(&desks);
    let begin = Instant::now();

    let old = copies(&desks, dice)?;
    let mut desks = desks;
    // Half of them are started anew after the backup; the session of the others
    // holds on, so that what they show at a hello afterwards is the right one.
    for desk in desks.iter_mut().step_by(2) {
        *desk = desk.copy(dice.below(u64::MAX))?;
    }
    let restarted = count.div_ceil(2);
    written.record(&mut desks, 0, dice)?;
    let (desks, level) = all(city, desks, Pace::Skipped).await?;
    written.note(&desks);
    // The control: databases that nothing was done to are not taken for others.
    report.figure("control_renewed_without_cause", renewed(&desks));
    report.bar(
        renewed(&desks) == 0 && level == count,
        "the control, desks that were not put back, keep their incarnation",
    );
    drop(desks);
    let mut back = old;
    written.record(&mut back, 1, dice)?;
    let (back, level) = all(city, back, Pace::Real).await?;
    written.note(&back);
    report.figure("desks_put_back", count);
    report.figure("put_back_found_at_first_hello", found_at_first_hello(&back));
    report.figure("put_back_found", renewed(&back));
    report.bar(level == count, "every desk that was put back is in step");
    report.bar(
        found_at_first_hello(&back) >= restarted && renewed(&back) == count,
        "every desk that was put back is found, at its first hello when it shows an old session",
    );

    let mut firsts = copies(&back, dice)?;
    let mut twins = copies(&back, dice)?;
    drop(back);
    written.record(&mut firsts, 2, dice)?;
    written.record(&mut twins, 3, dice)?;
    let (firsts, level_firsts) = all(city, firsts, Pace::Real).await?;
    written.note(&firsts);
    let before = written.missing(&HubBooks::read(&city.hub_data()).await?);
    report.figure("control_lost_before_the_copies_come", before);
    report.bar(
        before > 0,
        "the control, a hub that the copies have not met, is found to miss something",
    );
    let (twins, level_twins) = all(city, twins, Pace::Real).await?;
    written.note(&twins);
    report.figure("desks_copied", count);
    report.figure("copies_found_at_first_hello", found_at_first_hello(&twins));
    report.bar(
        level_firsts == count && level_twins == count,
        "every desk and its copy are in step",
    );
    report.bar(
        found_at_first_hello(&twins) == count && renewed(&firsts) == 0,
        "of every two the second is found at its first hello",
    );

    let took = begin.elapsed();
    let books = HubBooks::read(&city.hub_data()).await?;
    let lost = written.missing(&books);
    report.figure(
        "put_back_and_copied_after_s",
        (took.as_secs_f64() * 100.0).round() / 100.0,
    );
    report.figure("put_back_and_copied_events", written.events.len());
    report.figure("put_back_and_copied_lost", lost);
    report.figure("put_back_and_copied_doubled", books.doubled());
    report.figure("put_back_and_copied_set_aside", books.set_aside);
    report.bar(took <= BACK_WITHIN, "put back and copied within 10 minutes");
    report.bar(lost == 0, "nothing of what was put back or copied is lost");
    report.bar(
        books.doubled() == 0 && books.set_aside == 0,
        "nothing of what was put back or copied is doubled or set aside",
    );
    Ok(())
}
