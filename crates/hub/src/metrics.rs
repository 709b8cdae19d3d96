//! Counters for `/metrics`, in Prometheus' text form. Nothing personal: no
//! ids, no names, only numbers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use suda_sync::Verdict;

use crate::store::Counts;

/// Upper bounds of the ingest histogram in seconds.
const BOUNDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0];

/// How a look-up at the status page ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LookUp {
    Opened,
    Refused,
    HeldUp,
}

#[derive(Default)]
pub struct Metrics {
    applied: AtomicU64,
    duplicate: AtomicU64,
    held: AtomicU64,
    quarantined: AtomicU64,
    ingest_buckets: [AtomicU64; BOUNDS.len()],
    ingest_count: AtomicU64,
    ingest_micros: AtomicU64,
    /// By [`LookUp`].
    look_ups: [AtomicU64; 3],
    /// Comparisons of desks' copies of the log, and those that found one that
    /// differs, also read again.
    compared: AtomicU64,
    differed: AtomicU64,
    /// By method, route and status.
    requests: Mutex<BTreeMap<(String, String, u16), u64>>,
}

impl Metrics {
    pub fn ingested(&self, verdicts: &[Verdict], took: Duration) {
        for verdict in verdicts {
            let counter = match verdict {
                // Not stored: it comes again under another number.
                Verdict::Forked => continue,
                Verdict::Applied => &self.applied,
                Verdict::Duplicate => &self.duplicate,
                Verdict::Held | Verdict::Gap => &self.held,
                Verdict::Quarantined { .. } => &self.quarantined,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        for (bound, bucket) in BOUNDS.iter().zip(&self.ingest_buckets) {
            if took.as_secs_f64() <= *bound {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.ingest_count.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.ingest_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// A desk compares; `differs`: it has found its copy different.
    pub fn compared(&self, differs: bool) {
        self.compared.fetch_add(1, Ordering::Relaxed);
        self.differed
            .fetch_add(u64::from(differs), Ordering::Relaxed);
    }

    pub fn looked_up(&self, ended: LookUp) {
        let [opened, refused, held_up] = &self.look_ups;
        let counter = match ended {
            LookUp::Opened => opened,
            LookUp::Refused => refused,
            LookUp::HeldUp => held_up,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub fn answered(&self, method: &str, route: &str, status: u16) {
        let mut requests = self
            .requests
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        *requests
            .entry((method.to_owned(), route.to_owned(), status))
            .or_default() += 1;
    }

    /// The whole page.
    pub fn text(&self, counts: &Counts) -> String {
        let mut page = String::new();
        let mut gauge = |name: &str, help: &str, rows: &[(String, u64)]| {
            // Writing to a string cannot fail.
            let _infallible = writeln!(page, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (labels, value) in rows {
                let _infallible = writeln!(page, "{name}{labels} {value}");
            }
        };
        let by_state: Vec<_> = counts
            .by_state
            .iter()
            .map(|(state, number)| (format!("{{state=\"{}\"}}", state.name()), *number))
            .collect();
        gauge("suda_complaints", "Complaints by state.", &by_state);
        let plain = |value| [(String::new(), value)];
        gauge(
            "suda_ledger_lines",
            "Lines of the ledger.",
            &plain(counts.events),
        );
        gauge("suda_devices", "Enrolled desks.", &plain(counts.devices));
        gauge(
            "suda_quarantine_open",
            "Records set aside.",
            &plain(counts.quarantined),
        );
        self.counters(&mut page);
        page
    }

    fn counters(&self, page: &mut String) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut line = |text: String| {
            page.push_str(&text);
            page.push('\n');
        };
        line("# HELP suda_events_total Events received by verdict.".into());
        line("# TYPE suda_events_total counter".into());
        for (verdict, counter) in [
            ("applied", &self.applied),
            ("duplicate", &self.duplicate),
            ("held", &self.held),
            ("quarantined", &self.quarantined),
        ] {
            line(format!(
                "suda_events_total{{verdict=\"{verdict}\"}} {}",
                read(counter)
            ));
        }
        line("# HELP suda_ingest_seconds Time to judge and store a batch.".into());
        line("# TYPE suda_ingest_seconds histogram".into());
        for (bound, bucket) in BOUNDS.iter().zip(&self.ingest_buckets) {
            line(format!(
                "suda_ingest_seconds_bucket{{le=\"{bound}\"}} {}",
                read(bucket)
            ));
        }
        let count = read(&self.ingest_count);
        line(format!("suda_ingest_seconds_bucket{{le=\"+Inf\"}} {count}"));
        let seconds = Duration::from_micros(read(&self.ingest_micros)).as_secs_f64();
        line(format!("suda_ingest_seconds_sum {seconds}"));
        line(format!("suda_ingest_seconds_count {count}"));
        line("# HELP suda_status_look_ups_total Look-ups at the status page.".into());
        line("# TYPE suda_status_look_ups_total counter".into());
        for (result, counter) in ["opened", "refused", "held_up"].iter().zip(&self.look_ups) {
            line(format!(
                "suda_status_look_ups_total{{result=\"{result}\"}} {}",
                read(counter)
            ));
        }
        line("# HELP suda_log_compared_total Comparisons of desks' copies of the log.".into());
        line("# TYPE suda_log_compared_total counter".into());
        for (result, counter) in [("asked", &self.compared), ("differs", &self.differed)] {
            line(format!(
                "suda_log_compared_total{{result=\"{result}\"}} {}",
                read(counter)
            ));
        }
        line("# HELP suda_requests_total Answers by route.".into());
        line("# TYPE suda_requests_total counter".into());
        let requests = self
            .requests
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        for ((method, route, status), number) in requests.iter() {
            line(format!(
                "suda_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {number}"
            ));
        }
    }
}
