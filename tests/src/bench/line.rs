//! One figure, one line.

use std::time::Duration;

use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    bench: &'a str,
    metric: &'a str,
    value: f64,
    unit: &'a str,
    n: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<f64>,
}

/// Prints a figure made of `n` measurements.
pub fn print(bench: &str, metric: &str, value: f64, unit: &str, n: usize) {
    put(bench, metric, value, unit, n, None);
}

/// Prints a figure together with what it must not exceed.
pub fn print_bounded(bench: &str, metric: &str, value: f64, unit: &str, n: usize, bound: f64) {
    put(bench, metric, value, unit, n, Some(bound));
}

fn put(bench: &str, metric: &str, value: f64, unit: &str, n: usize, bound: Option<f64>) {
    let value = (value * 1000.0).round() / 1000.0;
    match serde_json::to_string(&Line {
        bench,
        metric,
        value,
        unit,
        n,
        bound,
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
