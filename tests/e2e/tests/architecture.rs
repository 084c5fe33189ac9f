//! The invariants of ARCHITECTURE.md that the dependency graph shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// Crates that decide without any input or output.
const PURE: [&str; 3] = ["precip-core", "precip-asl", "precip-synth"];
/// Packages that pure crates never depend on, by prefix.
const IMPURE: [&str; 7] = [
    "tokio", "hyper", "aws-", "reqwest", "rusqlite", "rand", "mio",
];

/// Libraries that only few crates use directly, by prefix.
const OWNERS: [(&str, &[&str]); 8] = [
    ("aws-sdk-", &["precip-aws"]),
    // Snowflake's driver has no Arrow of its own, so the adapter converts its rows.
    ("arrow", &["precip-io", "precip-snowflake"]),
    ("parquet", &["precip-io"]),
    ("serde_arrow", &["precip-io"]),
    ("object_store", &["precip-io"]),
    // The tests restore databases that an earlier version wrote.
    ("rusqlite", &["precip-local", "precip-tests"]),
    ("duckdb", &["precip-duckdb"]),
    ("snowflake", &["precip-snowflake"]),
];

/// Reads the resolved dependencies of the workspace.
fn read_workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo describes the workspace")
}

/// Returns the names of all packages that a package is built from, except for tests.
fn transitive_dependencies(metadata: &Metadata, from: &PackageId) -> BTreeSet<String> {
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
fn pure_crates_depend_on_no_runtime_network_or_randomness() {
    let metadata = read_workspace();
    let pure = metadata
        .workspace_packages()
        .into_iter()
        .filter(|p| PURE.contains(&p.name.as_str()));
    // A renamed crate would drop out of the list unnoticed.
    let mut checked = 0;
    for package in pure {
        let reached = transitive_dependencies(&metadata, &package.id);
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
fn the_launcher_reaches_no_library_of_projects() {
    let reached = compiled_packages("precip-launcher");
    assert!(reached.len() > 20, "the tree was read");
    let is_heavy = |name: &&str| {
        let libraries = ["arrow", "parquet", "libsqlite3", "precip-", "duckdb"];
        let mut prefixes = IMPURE.iter().chain(&libraries);
        *name != "precip-launcher" && prefixes.any(|prefix| name.starts_with(prefix))
    };
    let names = reached
        .iter()
        .filter_map(|(package, _)| package.split(' ').next());
    let heavy: Vec<&str> = names.filter(is_heavy).collect();
    assert!(heavy.is_empty(), "it is installed in seconds: {heavy:?}");
}

#[test]
fn each_library_is_used_only_by_its_owners() {
    let metadata = read_workspace();
    for package in metadata.workspace_packages() {
        let direct = package
            .dependencies
            .iter()
            .filter(|d| d.kind == DependencyKind::Normal);
        for dependency in direct {
            let owners = OWNERS
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

/// Returns what cargo compiles for a package on this platform: name and version of each package, and
/// its features.
fn compiled_packages(package: &str) -> Vec<(String, String)> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", package])
        .args(["--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p} [{f}]"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .expect("cargo prints the tree");
    assert!(tree.status.success());
    let text = String::from_utf8(tree.stdout).expect("names are text");
    // Lines such as `chrono v0.4.45 [alloc,serde] (*)`.
    let packages = text.lines().filter_map(|line| {
        let (package, features) = line.trim_end_matches(" (*)").rsplit_once(" [")?;
        Some((package.to_owned(), features.to_owned()))
    });
    packages.collect()
}

/// The macros use `precip-core` on the host, where cargo chooses features apart from those of the
/// project. A feature that only one side turns on makes cargo compile `precip-core` twice.
#[test]
fn the_macros_and_the_project_share_one_build_of_the_core() {
    let core = compiled_packages("precip-core").into_iter();
    let below_core: BTreeSet<String> = core.map(|(package, _)| package).collect();
    assert!(below_core.len() > 20, "the tree was read");

    let mut builds = BTreeMap::<String, BTreeSet<String>>::new();
    for (package, features) in compiled_packages("flights") {
        builds.entry(package).or_default().insert(features);
    }
    for (package, features) in builds {
        assert!(
            features.len() == 1 || !below_core.contains(&package),
            "{package} is compiled with {features:?}: turn the features on in \
             `shared/macros/Cargo.toml`, or in the workspace's dependencies"
        );
    }
}
