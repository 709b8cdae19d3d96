//! What is told to those who look on after a commit: which complaints, never
//! what is in them.

use serde::{Deserialize, Serialize};
use suda_domain::{BranchCode, ComplaintId, Lines, StaffId};

use crate::ingest::Changes;

/// What was committed, for those who look on.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Touched {
    pub complaints: Vec<TouchedComplaint>,
    /// The directory of the desks has changed.
    pub directory: bool,
    pub quarantine: bool,
    /// Complaints told by telephone. Absent from older processes.
    #[serde(default)]
    pub stubs: bool,
    /// Texts to customers that wait, or how they are sent. Absent from older
    /// processes.
    #[serde(default)]
    pub sms: bool,
    /// Early warnings. Absent from older processes.
    #[serde(default)]
    pub alarms: bool,
    /// Something may have been missed: look at everything anew.
    pub everything: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TouchedComplaint {
    pub id: ComplaintId,
    pub branch: BranchCode,
    /// Departments that have tasks of it.
    pub departments: Vec<StaffId>,
    /// Those to whom it does not exist. Absent from older processes.
    #[serde(default)]
    pub barred: Vec<StaffId>,
}

impl Touched {
    /// The rules of time were replaced: any deadline may have moved.
    pub fn rules() -> Self {
        Self {
            directory: true,
            everything: true,
            ..Self::default()
        }
    }

    /// What these changes touch.
    pub fn by(changes: &Changes, lines: &Lines) -> Self {
        let complaints = changes
            .cases
            .iter()
            .map(|case| {
                let tasks = &case.complaint.tasks;
                let mut departments: Vec<_> = tasks.iter().map(|task| task.department).collect();
                departments.sort_unstable();
                departments.dedup();
                TouchedComplaint {
                    id: case.complaint.id,
                    branch: case.complaint.branch.clone(),
                    departments,
                    barred: lines.barred(&case.complaint).into_iter().collect(),
                }
            })
            .collect();
        Self {
            complaints,
            directory: false,
            quarantine: !changes.set_aside.is_empty() || !changes.released.is_empty(),
            stubs: false,
            sms: false,
            alarms: false,
            // To some it has just ceased to exist, or begun.
            everything: changes.cases.iter().any(|case| case.beside_changed),
        }
    }

    /// After a break in what could be heard.
    pub fn everything() -> Self {
        Self {
            directory: true,
            quarantine: true,
            stubs: true,
            sms: true,
            alarms: true,
            everything: true,
            ..Self::default()
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
