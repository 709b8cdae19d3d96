//! Civil time: which moments are working time, in which zone, and what clocks
//! are counted with. Pure: moments come in as arguments.

pub mod calendar;
pub mod hours;
mod keeping;
mod working;
mod zone;

pub use calendar::{Calendar, CalendarError, DayKind};
pub use hours::{Hours, HoursError, Span};
pub use keeping::{TimeRules, Timekeeping};
pub use working::{Counted, Counting, Pause, Stretch, StretchKind, WorkingTime};
pub use zone::{UnknownZone, Zone};
