//! Random projects.

use fastrand::Rng;
use precip::{
    core::{
        mapping::{DimensionMapping, PartitionMapping},
        partitions::PartitionKey,
    },
    prelude::Severity,
};

use crate::description::{Check, Dep, Fault, Keys, Node, Project};

/// Returns the groups of a random project. No asset depends on another group, so each can run alone.
pub fn component_groups(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|component| format!("g{component}"))
}

/// The faults of a random project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Functions fail and panic, some only at their first attempts.
    Failures,
    /// Processes of functions abort as well. A lost attempt counts too, so no function fails only at its
    /// first attempts.
    Kills,
    /// No function or check fails, so that everything is materialized in the end.
    Outages,
    /// Nothing fails, and some functions have nothing to make.
    Skips,
}

impl Trouble {
    /// Returns `true` if values have to be the same in batches of any partitions.
    fn divides_batches(self) -> bool {
        matches!(self, Self::Outages | Self::Skips)
    }

    /// Returns `true` if checks fail.
    fn fails_checks(self) -> bool {
        matches!(self, Self::Failures | Self::Kills)
    }
}

/// Returns a project of so many groups.
pub fn random_project(seed: u64, count: usize, trouble: Trouble) -> Project {
    let mut dice = Rng::with_seed(seed);
    let mut project = Project::default();
    for group in component_groups(count) {
        add_component(&mut dice, &group, trouble, &mut project.assets);
    }
    project
}

/// Adds the assets of a group.
fn add_component(dice: &mut Rng, group: &str, trouble: Trouble, assets: &mut Vec<Node>) {
    let kinds = [
        Keys::None,
        letter_keys(),
        daily_keys("2024-01-05"),
        Keys::Static(["b", "c", "d", "e"].map(str::to_owned).into()),
        Keys::Dynamic(
            format!("{group}_set"),
            ["x", "y", "z"].map(str::to_owned).into(),
        ),
        Keys::Multi(
            [
                ("date".to_owned(), daily_keys("2024-01-03")),
                ("letter".to_owned(), letter_keys()),
            ]
            .into(),
        ),
    ];
    let size = dice.usize(2..=5);
    let first = assets.len();
    // Most assets of a group have the same partitions, as in real projects.
    let usual = dice.choice(&kinds[1..]).cloned().unwrap_or_default();
    for index in 0..size {
        let keys = match dice.u32(0..10) {
            0..7 => usual.clone(),
            _ => dice.choice(&kinds).cloned().unwrap_or_default(),
        };
        let mut node = Node {
            key: format!("{group}_{index}"),
            group: group.to_owned(),
            keys,
            retries: dice.u32(0..3),
            ..Node::default()
        };
        for upstream in &assets[first..] {
            if dice.u32(0..10) < 5 {
                node.deps.extend(random_dep(dice, upstream, &node.keys));
            }
        }
        let before = match &node.keys {
            Keys::Daily(..) => Some(day_before()),
            Keys::Multi(_) => Some(day_before_of_each_letter()),
            _ => None,
        };
        if let Some(before) = before.filter(|_| dice.u32(0..5) == 0) {
            node.deps.push(Dep {
                asset: node.key.clone(),
                mapping: Some(before),
            });
        }
        // A retry of an aborted batch runs only the partitions that are left, and values are sums over a
        // whole batch. So with outages only assets without inputs have the same values in any batch; with
        // skips partitions leave batches as well.
        let batched = node.keys != Keys::None && dice.u32(0..6) == 0;
        if batched && (!trouble.divides_batches() || node.deps.is_empty()) {
            node.batch = Some(dice.u32(2..4));
        }
        add_faults(dice, trouble, &mut node);
        assets.push(node);
    }
}

fn letter_keys() -> Keys {
    Keys::Static(["a", "b", "c"].map(str::to_owned).into())
}

/// Returns days from the first of January on.
fn daily_keys(end: &str) -> Keys {
    Keys::Daily("2024-01-01".to_owned(), end.to_owned())
}

fn day_before_of_each_letter() -> PartitionMapping {
    let to = |name: &str, mapping| {
        let dimension = DimensionMapping {
            downstream_dimension: name.to_owned(),
            mapping,
        };
        (name.to_owned(), dimension)
    };
    let dims = [
        to("date", day_before()),
        to("letter", PartitionMapping::Identity),
    ];
    PartitionMapping::Multi { dims: dims.into() }
}

fn day_before() -> PartitionMapping {
    PartitionMapping::TimeWindow {
        start_offset: -1,
        end_offset: -1,
        allow_nonexistent_upstream_partitions: true,
    }
}

/// Draws a dependency on an upstream asset; `None` if the drawn mapping does not fit.
fn random_dep(dice: &mut Rng, upstream: &Node, keys: &Keys) -> Option<Dep> {
    let [above, below] =
        [&upstream.keys, keys].map(|keys| keys.partitions_definition().ok().flatten());
    let alike = upstream.keys == *keys;
    let drawn = match dice.u32(0..8) {
        0 => Some(PartitionMapping::All),
        1 => Some(PartitionMapping::Last),
        2 => {
            let keys = list_keys(&upstream.keys);
            let key = dice.choice(&keys)?.as_str();
            Some(PartitionMapping::Specific {
                keys: vec![PartitionKey::from(key)],
            })
        }
        3 if matches!((&upstream.keys, keys), (Keys::Daily(..), Keys::Daily(..))) => {
            Some(day_before())
        }
        _ if alike || is_dimension(&upstream.keys, keys) => None,
        _ => Some(PartitionMapping::All),
    };
    if let Some(mapping) = &drawn {
        mapping.validate(above.as_ref(), below.as_ref()).ok()?;
    }
    Some(Dep {
        asset: upstream.key.clone(),
        mapping: drawn,
    })
}

/// Returns whether one is a dimension of the other, so that the mapping is inferred. As a dimension, days
/// end earlier: they can depend on all days, but not the other way round.
fn is_dimension(above: &Keys, below: &Keys) -> bool {
    match (above, below) {
        (Keys::Daily(..), Keys::Multi(_)) => true,
        (Keys::Multi(dimensions), one) | (one, Keys::Multi(dimensions)) => {
            dimensions.values().any(|dimension| dimension == one)
        }
        _ => false,
    }
}

/// Lists the keys of an asset.
fn list_keys(keys: &Keys) -> Vec<String> {
    match keys {
        Keys::None => vec![String::new()],
        Keys::Static(keys) | Keys::Dynamic(_, keys) => keys.clone(),
        Keys::Daily(_, end) => {
            let all = (1..5).map(|day| format!("2024-01-0{day}"));
            all.filter(|day| day < end).collect()
        }
        Keys::Multi(dimensions) => {
            let mut all = vec![String::new()];
            for dimension in dimensions.values() {
                let keys = list_keys(dimension);
                let with = |before: &String| {
                    let bar = if before.is_empty() { "" } else { "|" };
                    let joined = keys.iter().map(|key| format!("{before}{bar}{key}"));
                    joined.collect::<Vec<_>>()
                };
                all = all.iter().flat_map(with).collect();
            }
            all
        }
    }
}

/// Draws faults and checks.
fn add_faults(dice: &mut Rng, trouble: Trouble, node: &mut Node) {
    let keys = list_keys(&node.keys);
    for key in &keys {
        if trouble != Trouble::Outages && dice.u32(0..8) == 0 {
            let fault = match (trouble, dice.u32(0..6)) {
                (Trouble::Skips, _) => Fault::Nothing,
                (_, 0) => Fault::Retryable,
                (_, 1) => Fault::Terminal,
                (_, 2) => Fault::Panic,
                (Trouble::Failures | Trouble::Outages, _) => Fault::First(dice.u32(1..4)),
                (Trouble::Kills, 3) => Fault::KilledLate(1),
                (Trouble::Kills, _) => Fault::Killed(dice.u32(1..3)),
            };
            node.faults.insert(key.clone(), fault);
        }
    }
    for name in ["first", "second"] {
        if dice.u32(0..4) > 0 {
            continue;
        }
        let (own_op, blocking) = (dice.bool(), dice.bool());
        let some = |dice: &mut Rng, of: u32| {
            keys.iter()
                .filter(|_| dice.u32(0..of) == 0 && trouble.fails_checks())
                .cloned()
                .collect()
        };
        node.checks.push(Check {
            name: name.to_owned(),
            blocking,
            severity: match dice.u32(0..4) {
                0 => Severity::Warn,
                _ => Severity::Error,
            },
            own_op,
            failing_in: some(dice, 4),
            erroring_in: if own_op {
                some(dice, 12)
            } else {
                Default::default()
            },
        });
    }
}
