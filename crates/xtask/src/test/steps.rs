//! A run of titled steps: each is timed, a failed one does not hide what the
//! later ones would find, and the table at the end names all of them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::bail;

#[derive(Default)]
pub struct Steps {
    done: Vec<Step>,
}

struct Step {
    title: &'static str,
    took: Duration,
    outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl Steps {
    pub fn run(
        &mut self,
        title: &'static str,
        step: impl FnOnce() -> anyhow::Result<()>,
    ) -> Outcome {
        eprintln!("\n== {title}");
        let began = Instant::now();
        let result = step();
        let took = began.elapsed();
        let outcome = match result {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                eprintln!("== {title} FAILED: {error:#}");
                Outcome::Failed
            }
        };
        self.done.push(Step {
            title,
            took,
            outcome,
        });
        outcome
    }

    /// Notes what cannot be tried after a failure.
    pub fn skip(&mut self, title: &'static str) {
        self.done.push(Step {
            title,
            took: Duration::ZERO,
            outcome: Outcome::Skipped,
        });
    }

    /// Prints the table; fails when any step did.
    pub fn finish(self) -> anyhow::Result<()> {
        eprintln!("\n{}", self.table());
        let failed: Vec<&str> = self
            .done
            .iter()
            .filter(|step| step.outcome == Outcome::Failed)
            .map(|step| step.title)
            .collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }

    fn table(&self) -> String {
        let mut table = String::new();
        let mut total = Duration::ZERO;
        for step in &self.done {
            total += step.took;
            let outcome = match step.outcome {
                Outcome::Passed => "ok",
                Outcome::Failed => "FAILED",
                Outcome::Skipped => "skipped",
            };
            let _infallible = writeln!(
                table,
                "{:>9}  {outcome:<7}  {}",
                minutes(step.took),
                step.title
            );
        }
        let _infallible = write!(table, "{:>9}  in all", minutes(total));
        table
    }
}

fn minutes(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    format!("{} m {:02} s", took.as_secs() / 60, took.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn one_failed_step_fails_the_run_and_the_others_still_run() {
        let mut steps = Steps::default();
        assert_eq!(
            steps.run("first", || Err(anyhow!("broken"))),
            Outcome::Failed
        );
        assert_eq!(steps.run("second", || Ok(())), Outcome::Passed);
        steps.skip("third");
        let table = steps.table();
        assert!(table.contains("FAILED   first"), "{table}");
        assert!(table.contains("ok       second"), "{table}");
        assert!(table.contains("skipped  third"), "{table}");
        assert_eq!(steps.finish().unwrap_err().to_string(), "failed: first");
    }

    #[test]
    fn a_run_without_failures_passes() {
        let mut steps = Steps::default();
        steps.run("only", || Ok(()));
        assert!(steps.finish().is_ok());
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(minutes(Duration::from_millis(2340)), "2.3 s");
        assert_eq!(minutes(Duration::from_secs(125)), "2 m 05 s");
    }
}
