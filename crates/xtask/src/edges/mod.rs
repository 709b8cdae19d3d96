//! Who may see whom, as the architecture's table says: the rules, and the
//! check of the real workspace. Judging a dependency graph is in `graph`,
//! judging source text in `source`; both are pure.

mod graph;
mod source;

use anyhow::{Context, bail};

use self::graph::{Graph, Rule};
use crate::workspace::{Workspace, output};

/// A run-time, a network, a database or a window: what pure crates may not
/// reach even through others.
const OUTSIDE_WORLD: &[&str] = &[
    "tokio",
    "async-std",
    "sqlx",
    "libsqlite3-sys",
    "rusqlite",
    "tauri",
    "wry",
    "axum",
    "hyper",
    "reqwest",
];

/// One rule a crate of the workspace. A crate without a rule is an error, so
/// that a new one is placed on purpose.
const RULES: &[Rule] = &[
    Rule {
        package: "suda-domain",
        members: &[],
        externals: Some(&[
            "serde",
            "chrono",
            "chrono-tz",
            "uuid",
            "thiserror",
            "specta",
            "utoipa",
        ]),
        never_direct: &[],
        never_at_all: OUTSIDE_WORLD,
    },
    Rule {
        package: "suda-judge",
        members: &["suda-domain"],
        externals: None,
        never_direct: &[],
        never_at_all: OUTSIDE_WORLD,
    },
    Rule {
        package: "suda-sync",
        members: &["suda-domain"],
        externals: None,
        never_direct: &[],
        never_at_all: OUTSIDE_WORLD,
    },
    Rule {
        package: "suda-sim",
        members: &["suda-domain", "suda-sync"],
        externals: None,
        never_direct: &[],
        never_at_all: OUTSIDE_WORLD,
    },
    Rule {
        package: "suda-letter",
        members: &["suda-domain"],
        externals: None,
        // Which fonts there are is the hub's to find.
        never_direct: &["fontdb"],
        never_at_all: OUTSIDE_WORLD,
    },
    Rule {
        package: "suda-desk",
        members: &["suda-domain", "suda-judge", "suda-sync", "suda-sqlite"],
        externals: None,
        never_direct: &[],
        never_at_all: &["tauri", "wry", "axum"],
    },
    Rule {
        package: "suda-hub",
        members: &[
            "suda-domain",
            "suda-judge",
            "suda-sync",
            "suda-sqlite",
            "suda-letter",
        ],
        externals: None,
        never_direct: &[],
        never_at_all: &["tauri", "wry"],
    },
    Rule {
        package: "suda-sqlite",
        members: &[],
        externals: Some(&["futures-executor", "openssl", "sqlx", "tracing"]),
        never_direct: &[],
        never_at_all: &["tauri", "wry", "axum", "reqwest"],
    },
    Rule {
        package: "suda",
        members: &["suda-desk", "suda-domain"],
        externals: None,
        // The desk crate brings its store; the shell may not reach past it.
        never_direct: &["sqlx", "libsqlite3-sys", "rusqlite", "reqwest"],
        never_at_all: &["axum"],
    },
    Rule {
        package: "xtask",
        members: &[],
        externals: None,
        never_direct: &[],
        never_at_all: OUTSIDE_WORLD,
    },
    Rule {
        package: "suda-tests",
        // The tests drive the programs from outside, and may read what they
        // write with the rules that wrote it.
        members: &[
            "suda-domain",
            "suda-judge",
            "suda-sync",
            "suda-desk",
            "suda-hub",
            "suda-sqlite",
            "suda-test-postgres",
        ],
        externals: None,
        never_direct: &[],
        never_at_all: &["tauri"],
    },
    Rule {
        package: "suda-test-postgres",
        members: &[],
        externals: None,
        never_direct: &[],
        never_at_all: OUTSIDE_WORLD,
    },
];

pub fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--all-features",
    ];
    let metadata = output(&mut workspace.cargo(&arguments))?;
    let graph: Graph = serde_json::from_str(&metadata)
        .context("cargo's metadata is not as this program expects it")?;
    let mut breaches = graph::breaches(&graph, RULES);
    breaches.extend(source::breaches(&workspace.root)?);
    if !breaches.is_empty() {
        bail!(
            "{} forbidden edge(s):\n  {}",
            breaches.len(),
            breaches.join("\n  ")
        );
    }
    println!("{} crates keep to the architecture's table", RULES.len());
    Ok(())
}
