//! One figure a line.

use serde_json::{Value, json};

/// A figure beside its target and beside a plain control.
pub fn figure(task: &str, name: &str, value: f64, target: &str, control: f64, how: &str) {
    let line = json!({
        "bench": "judge", "task": task, "figure": name, "value": round(value),
        "target": target, "control": round(control), "how": how,
    });
    println!("{line}");
}

fn round(value: f64) -> Value {
    json!((value * 10_000.0).round() / 10_000.0)
}
