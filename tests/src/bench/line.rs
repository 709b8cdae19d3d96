//! One figure, one line.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// What a figure is to reach.
#[derive(Clone, Copy)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn is_reached(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

/// The figures that did not reach their goal, for the end of the run.
static MISSED: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub fn missed() -> Vec<String> {
    let missed = MISSED.lock().unwrap_or_else(PoisonError::into_inner);
    missed.clone()
}

#[derive(Serialize)]
struct Line<'a> {
    bench: &'a str,
    metric: &'a str,
    value: f64,
    unit: &'a str,
    n: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<bool>,
}

/// Prints a figure made of `n` measurements.
pub fn print(bench: &str, metric: &str, value: f64, unit: &str, n: usize) {
    put((bench, metric), value, unit, n, None);
}

/// Prints a figure together with what it is to reach.
pub fn print_against(what: (&str, &str), value: f64, unit: &str, n: usize, goal: Goal) {
    put(what, value, unit, n, Some(goal));
}

fn put((bench, metric): (&str, &str), value: f64, unit: &str, n: usize, goal: Option<Goal>) {
    let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
    let reached = goal.map(|goal| goal.is_reached(value));
    if reached == Some(false) {
        let mut missed = MISSED.lock().unwrap_or_else(PoisonError::into_inner);
        missed.push(format!("{bench} {metric}"));
    }
    let (at_least, at_most) = match goal {
        Some(Goal::AtLeast(bound)) => (Some(rounded(bound)), None),
        Some(Goal::AtMost(bound)) => (None, Some(rounded(bound))),
        None => (None, None),
    };
    match serde_json::to_string(&Line {
        bench,
        metric,
        value: rounded(value),
        unit,
        n,
        at_least,
        at_most,
        reached,
    }) {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("{bench} {metric}: {error}"),
    }
}

/// Durations of single steps, for a rate and its tail.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// Prints median, p95 and p99 in milliseconds and the rate per second.
    pub fn print(&mut self, bench: &str, what: &str) {
        self.0.sort_unstable();
        for percent in [50, 95, 99] {
            print(
                bench,
                &format!("{what}_p{percent}"),
                self.percentile_ms(percent),
                "ms",
                self.0.len(),
            );
        }
        print(
            bench,
            &format!("{what}_rate"),
            self.rate(),
            "1/s",
            self.0.len(),
        );
    }

    /// The nearest-rank percentile in milliseconds.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
        sorted
            .get(rank)
            .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    }

    pub fn rate(&self) -> f64 {
        let total: Duration = self.0.iter().sum();
        if total.is_zero() {
            0.0
        } else {
            self.0.len() as f64 / total.as_secs_f64()
        }
    }
}
