//! The dependency graph in cargo's metadata, judged by rules. Pure. Only what
//! is linked into a program counts: dependencies of tests and of build
//! scripts are left out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;

/// What one crate of the workspace may see. A barred name bars the crate and
/// all whose names continue it after a hyphen: `sqlx` bars `sqlx-core`.
pub struct Rule {
    pub package: &'static str,
    /// Crates of this workspace that it may name.
    pub members: &'static [&'static str],
    /// All other crates that it may name; None leaves that open.
    pub externals: Option<&'static [&'static str]>,
    pub never_direct: &'static [&'static str],
    /// Barred even when another crate brings it.
    pub never_at_all: &'static [&'static str],
}

/// The part of `cargo metadata` that is read here.
#[derive(Deserialize)]
pub struct Graph {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// None for an ordinary dependency, else `dev` or `build`.
    kind: Option<String>,
}

/// One line for each edge that a rule forbids.
pub fn breaches(graph: &Graph, rules: &[Rule]) -> Vec<String> {
    let names: BTreeMap<&str, &str> = graph
        .packages
        .iter()
        .map(|package| (package.id.as_str(), package.name.as_str()))
        .collect();
    let name_of = |id: &str| names.get(id).copied().unwrap_or("(unnamed)");
    let members: BTreeSet<&str> = graph
        .workspace_members
        .iter()
        .map(|id| name_of(id))
        .collect();
    let edges: BTreeMap<&str, Vec<&str>> = graph
        .resolve
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), linked(node)))
        .collect();

    let mut found = Vec::new();
    for id in &graph.workspace_members {
        let package = name_of(id);
        let Some(rule) = rules.iter().find(|rule| rule.package == package) else {
            found.push(format!(
                "{package} has no rule: place it in the table of xtask's edges"
            ));
            continue;
        };
        let direct = edges
            .get(id.as_str())
            .map(Vec::as_slice)
            .unwrap_or_default();
        found.extend(direct.iter().filter_map(|seen| {
            direct_breach(rule, name_of(seen), members.contains(name_of(seen)))
        }));
        found.extend(far_breaches(rule, id, &edges, name_of));
    }
    found
}

fn linked(node: &Node) -> Vec<&str> {
    let is_linked = |dependency: &&Dependency| {
        dependency
            .dep_kinds
            .iter()
            .any(|dependency| dependency.kind.is_none())
    };
    node.deps
        .iter()
        .filter(is_linked)
        .map(|dependency| dependency.pkg.as_str())
        .collect()
}

fn direct_breach(rule: &Rule, seen: &str, is_member: bool) -> Option<String> {
    let package = rule.package;
    if is_member {
        let allowed = rule.members.contains(&seen);
        return (!allowed).then(|| format!("{package} must not see {seen}"));
    }
    if rule.never_direct.iter().any(|barred| bars(barred, seen)) {
        return Some(format!("{package} must not name {seen} itself"));
    }
    let externals = rule.externals?;
    (!externals.contains(&seen)).then(|| format!("{package} must not see {seen}: not in its list"))
}

/// Walks breadth first, so that the chain named is a shortest one.
fn far_breaches<'g>(
    rule: &Rule,
    start: &'g str,
    edges: &BTreeMap<&'g str, Vec<&'g str>>,
    name_of: impl Fn(&str) -> &'g str,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(id) = queue.pop_front() {
        for &seen in edges.get(id).map(Vec::as_slice).unwrap_or_default() {
            if seen == start || from.contains_key(seen) {
                continue;
            }
            from.insert(seen, id);
            if rule
                .never_at_all
                .iter()
                .any(|barred| bars(barred, name_of(seen)))
            {
                // What lies behind a barred crate is its business, and would
                // only repeat the same finding.
                found.push(format!(
                    "{} must never see {}",
                    rule.package,
                    chain(seen, &from, &name_of)
                ));
            } else {
                queue.push_back(seen);
            }
        }
    }
    found
}

fn chain<'g>(
    end: &'g str,
    from: &BTreeMap<&'g str, &'g str>,
    name_of: impl Fn(&str) -> &'g str,
) -> String {
    let mut names = vec![name_of(end)];
    let mut at = end;
    while let Some(&before) = from.get(at) {
        names.push(name_of(before));
        at = before;
    }
    names.reverse();
    format!("{} ({})", name_of(end), names.join(" → "))
}

fn bars(barred: &str, name: &str) -> bool {
    name.strip_prefix(barred)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const RULES: &[Rule] = &[
        Rule {
            package: "core",
            members: &[],
            externals: Some(&["serde", "log"]),
            never_direct: &[],
            never_at_all: &["tokio"],
        },
        Rule {
            package: "shell",
            members: &["core"],
            externals: None,
            never_direct: &["sqlx"],
            never_at_all: &[],
        },
    ];

    /// A workspace of `core` and `shell` with these edges: from, to, kind.
    fn graph(edges: &[(&str, &str, Option<&str>)]) -> Graph {
        let mut names: BTreeSet<&str> = BTreeSet::from(["core", "shell"]);
        names.extend(edges.iter().flat_map(|(from, to, _)| [*from, *to]));
        let nodes: Vec<Value> = names
            .iter()
            .map(|name| {
                let deps: Vec<Value> = edges
                    .iter()
                    .filter(|(from, ..)| from == name)
                    .map(|(_, to, kind)| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] }))
                    .collect();
                json!({ "id": name, "deps": deps })
            })
            .collect();
        let packages: Vec<Value> = names
            .iter()
            .map(|name| json!({ "id": name, "name": name }))
            .collect();
        let metadata = json!({
            "packages": packages,
            "workspace_members": ["core", "shell"],
            "resolve": { "nodes": nodes },
        });
        serde_json::from_value(metadata).unwrap()
    }

    #[test]
    fn a_clean_graph_passes() {
        let clean = graph(&[
            ("core", "serde", None),
            ("shell", "core", None),
            ("shell", "store", None),
            ("store", "sqlx-core", None),
        ]);
        assert_eq!(breaches(&clean, RULES), Vec::<String>::new());
    }

    #[test]
    fn an_edge_between_members_against_the_arrows_is_found() {
        assert_eq!(
            breaches(&graph(&[("core", "shell", None)]), RULES),
            ["core must not see shell"]
        );
    }

    #[test]
    fn a_crate_outside_the_list_is_found() {
        assert_eq!(
            breaches(&graph(&[("core", "rand", None)]), RULES),
            ["core must not see rand: not in its list"]
        );
    }

    #[test]
    fn a_barred_crate_is_found_behind_an_allowed_one() {
        let hidden = graph(&[("core", "log", None), ("log", "tokio-util", None)]);
        assert_eq!(
            breaches(&hidden, RULES),
            ["core must never see tokio-util (core → log → tokio-util)"]
        );
    }

    #[test]
    fn naming_a_store_directly_is_found() {
        assert_eq!(
            breaches(&graph(&[("shell", "sqlx", None)]), RULES),
            ["shell must not name sqlx itself"]
        );
    }

    #[test]
    fn what_only_tests_and_build_scripts_use_is_not_an_edge() {
        let aside = graph(&[
            ("core", "tokio", Some("dev")),
            ("core", "shell", Some("build")),
        ]);
        assert_eq!(breaches(&aside, RULES), Vec::<String>::new());
    }

    #[test]
    fn a_member_without_a_rule_is_found() {
        assert_eq!(
            breaches(&graph(&[]), &RULES[..1]),
            ["shell has no rule: place it in the table of xtask's edges"]
        );
    }
}
