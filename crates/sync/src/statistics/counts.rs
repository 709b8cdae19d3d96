//! What a desk counts of a day. Plain numbers: no person, no text, no case.

use serde::{Deserialize, Serialize};

/// What is kept of two numbers of the same day.
macro_rules! merged {
    (sum $a:expr, $b:expr) => {
        $a.saturating_add($b)
    };
    (most $a:expr, $b:expr) => {
        $a.max($b)
    };
}

macro_rules! counts {
    ($($(#[doc = $doc:literal])+ $how:ident $name:ident),+ $(,)?) => {
        /// Counts of one desk and day. A count that is absent is 0, so that a
        /// desk of another version is understood; one that is not known here
        /// is passed over.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(default)]
        pub struct Counts {
            $(
                $(#[doc = $doc])+
                #[serde(skip_serializing_if = "is_zero")]
                pub $name: u64,
            )+
        }

        impl Counts {
            /// Takes in what was counted besides.
            pub fn add(&mut self, other: &Self) {
                $(self.$name = merged!($how self.$name, other.$name);)+
            }

            /// By name, in the order they are told.
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name)),+]
            }

            /// Each count at the same number, to see how large it becomes.
            #[cfg(test)]
            pub(super) fn each(number: u64) -> Self {
                Self { $($name: number),+ }
            }
        }
    };
}

counts! {
    /// Forms opened.
    sum forms_opened,
    /// Forms recorded as complaints.
    sum forms_saved,
    /// Forms thrown away at a person's wish.
    sum forms_discarded,
    /// Complaints recorded from a file.
    sum rows_imported,
    /// Saved forms whose opening is known, and the seconds from there to
    /// saving: all of them, and the most.
    sum forms_timed,
    /// Seconds from opening to saving, together.
    sum form_s,
    /// The most seconds from opening to saving.
    most form_s_most,
    /// Saved with the category suggested.
    sum category_taken,
    /// Saved with another category than suggested.
    sum category_changed,
    /// Saved with the grade suggested.
    sum grade_taken,
    /// Saved with another grade than suggested.
    sum grade_changed,
    /// Saved as simple or complex as suggested.
    sum complexity_taken,
    /// Saved otherwise than suggested.
    sum complexity_changed,
    /// Reminders shown.
    sum reminders,
    /// Handed off by the desk itself before the hour's end.
    sum automatic_handoffs,
    /// Milliseconds the longest save took, from the click to the disk.
    most save_ms_most,
    /// Saves that took more than 100 ms.
    sum saves_slow,
    /// Saves that the store refused: a full or failing disk.
    sum saves_failed,
    /// Seconds in which the hub was not reached. A computer that is off or
    /// asleep, and a program that does not run, count nothing.
    sum offline_s,
    /// The longest stretch of such seconds, as long as it was then.
    most outage_s_most,
    /// Rounds of the sync that went through.
    sum sync_rounds,
    /// Tries of the sync that did not.
    sum sync_failures,
    /// How often the data were opened for work.
    sum starts,
    /// Starts after an end that was not in good order: a crash, a power cut.
    sum unclean_ends,
    /// Starts at which damage was put right.
    sum repairs,
    /// How often the computer's clock was seen to be set.
    sum clock_jumps,
    /// Backups taken and checked.
    sum backups,
    /// Backups that failed.
    sum backups_failed,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
