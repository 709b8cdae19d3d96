//! What is done with the hub when no event, handoff or evidence waits: day
//! totals are sent, then the learned model is fetched.

use crate::model::lane::ModelLane;
use crate::statistics::lane::StatisticsLane;

/// The lanes that wait for all others.
pub(crate) struct Spare {
    pub(crate) statistics: StatisticsLane,
    pub(crate) model: ModelLane,
}

impl Spare {
    /// To be called while all other lanes rest; may be dropped in the middle.
    pub(crate) async fn do_due(&mut self) {
        self.statistics.send_due().await;
        self.model.fetch_due().await;
    }
}
