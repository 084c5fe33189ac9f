//! The invariants of ARCHITECTURE.md that the dependency graph shows.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// Crates that decide and never look: what they may never reach, by the beginning of its name.
const PURE: [&str; 3] = ["precip-core", "precip-asl", "precip-synth"];
const IMPURE: [&str; 7] = [
    "tokio", "hyper", "aws-", "reqwest", "rusqlite", "rand", "mio",
];

/// Libraries that stay behind one crate, or few, by the beginning of their names.
const BEHIND: [(&str, &[&str]); 8] = [
    ("aws-sdk-", &["precip-aws"]),
    // A driver that brings no Arrow of its own is given rows in it.
    ("arrow", &["precip-io", "precip-snowflake"]),
    ("parquet", &["precip-io"]),
    ("serde_arrow", &["precip-io"]),
    ("object_store", &["precip-io"]),
    ("rusqlite", &["precip-local"]),
    ("duckdb", &["precip-duckdb"]),
    ("snowflake", &["precip-snowflake"]),
];

fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo describes the workspace")
}

/// Everything a package is built from when it is used, tests aside.
fn reached(metadata: &Metadata, from: &PackageId) -> BTreeSet<String> {
    let resolve = metadata
        .resolve
        .as_ref()
        .expect("dependencies are resolved");
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut seen = BTreeSet::new();
    let mut next = vec![from];
    while let Some(id) = next.pop() {
        if !seen.insert(id) {
            continue;
        }
        for dependency in &nodes[id].deps {
            let normal = dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal);
            if normal {
                next.push(&dependency.pkg);
            }
        }
    }
    seen.iter()
        .map(|id| metadata[*id].name.to_string())
        .collect()
}

#[test]
fn pure_crates_reach_no_runtime_no_network_and_no_randomness() {
    let metadata = workspace();
    let pure = metadata
        .workspace_packages()
        .into_iter()
        .filter(|p| PURE.contains(&p.name.as_str()));
    let mut checked = 0;
    for package in pure {
        let reached = reached(&metadata, &package.id);
        let impure: Vec<&String> = reached
            .iter()
            .filter(|name| IMPURE.iter().any(|impure| name.starts_with(impure)))
            .collect();
        assert!(impure.is_empty(), "{} reaches {impure:?}", package.name);
        checked += 1;
    }
    assert!(checked >= 2, "the pure crates are in the workspace");
}

#[test]
fn each_outside_world_stays_behind_its_crate() {
    let metadata = workspace();
    for package in metadata.workspace_packages() {
        let direct = package
            .dependencies
            .iter()
            .filter(|d| d.kind == DependencyKind::Normal);
        for dependency in direct {
            let owners = BEHIND
                .iter()
                .find(|(prefix, _)| dependency.name.starts_with(prefix));
            if let Some((_, owners)) = owners {
                assert!(
                    owners.contains(&package.name.as_str()),
                    "{} depends on {}, which is for {owners:?} only",
                    package.name,
                    dependency.name
                );
            }
        }
    }
}
