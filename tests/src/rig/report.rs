//! What a rig found: figures in one JSON line, and the bars that did not hold.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value, json};

/// The seeded chance of a rig.
pub struct Dice(StdRng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// A number below `bound`; 0 when there is none.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.random_range(0..bound.max(1))
    }

    /// A time of at most `most`, in microseconds.
    pub fn within(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(most.as_micros()).unwrap_or(u64::MAX)))
    }

    pub fn is_one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub fn bytes(&mut self) -> [u8; 32] {
        self.0.random()
    }

    /// An index of a slice of this length.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or_default()
    }
}

/// The outcome of one rig.
#[derive(Debug)]
pub struct Report {
    figures: Map<String, Value>,
    broken: Vec<String>,
}

impl Report {
    pub fn new(rig: &str, seed: u64) -> Self {
        let mut figures = Map::new();
        figures.insert("rig".to_owned(), json!(rig));
        figures.insert("seed".to_owned(), json!(seed));
        Self {
            figures,
            broken: Vec::new(),
        }
    }

    pub fn figure(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }

    /// Notes a bar as broken unless it holds.
    pub fn bar(&mut self, holds: bool, rule: impl Into<String>) {
        if !holds {
            self.broken.push(rule.into());
        }
    }

    /// The nearest-rank percentile of some times, as a figure in milliseconds.
    pub fn percentile(&mut self, name: &str, times: &[Duration], percent: usize) -> Duration {
        let time = percentile(times, percent);
        let ms = (time.as_secs_f64() * 10_000.0).round() / 10.0;
        self.figure(name, ms);
        time
    }

    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }

    pub fn broken(&self) -> &[String] {
        &self.broken
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.figures.get(name)
    }

    /// A figure that is a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_f64()
    }

    /// One line of JSON.
    pub fn line(&self) -> String {
        let mut figures = self.figures.clone();
        figures.insert("passed".to_owned(), json!(self.holds()));
        if !self.holds() {
            figures.insert("broken".to_owned(), json!(self.broken));
        }
        Value::Object(figures).to_string()
    }
}

pub(super) fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(rank).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_bar_fails_the_report_and_is_named_in_its_line() {
        let mut report = Report::new("kill", 7);
        report.bar(true, "nothing lost");
        assert!(report.holds());
        report.bar(false, "nothing doubled");
        assert!(!report.holds());
        let line: Value = serde_json::from_str(&report.line()).unwrap_or_default();
        assert_eq!(line["passed"], false);
        assert_eq!(line["broken"][0], "nothing doubled");
    }

    #[test]
    fn the_same_seed_throws_the_same_dice() {
        let throw = |seed| {
            let mut dice = Dice::new(seed);
            [0; 8].map(|_| dice.below(1_000_000))
        };
        assert_eq!(throw(3), throw(3));
        assert_ne!(throw(3), throw(4));
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 99), Duration::from_millis(198));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
