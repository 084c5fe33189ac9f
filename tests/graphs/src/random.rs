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

/// The groups of a random project: nothing goes from one to another, so that each can be run by itself.
pub fn components(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|component| format!("g{component}"))
}

/// What goes wrong in a random project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Functions fail and panic, some of them a few times only.
    Failures,
    /// Processes of functions are killed as well. An attempt that is lost has a number too, so no function
    /// fails a few times only.
    Kills,
    /// Nothing: the functions and checks do what they should, so that everything can be made in the end.
    Outages,
}

/// A project of so many components.
pub fn random(seed: u64, count: usize, trouble: Trouble) -> Project {
    let mut dice = Rng::with_seed(seed);
    let mut project = Project::default();
    for group in components(count) {
        component(&mut dice, &group, trouble, &mut project.assets);
    }
    project
}

fn component(dice: &mut Rng, group: &str, trouble: Trouble, assets: &mut Vec<Node>) {
    let kinds = [
        Keys::None,
        letters(),
        days("2024-01-05"),
        Keys::Static(["b", "c", "d", "e"].map(str::to_owned).into()),
        Keys::Dynamic(
            format!("{group}_set"),
            ["x", "y", "z"].map(str::to_owned).into(),
        ),
        Keys::Multi(
            [
                ("date".to_owned(), days("2024-01-03")),
                ("letter".to_owned(), letters()),
            ]
            .into(),
        ),
    ];
    let size = dice.usize(2..=5);
    let first = assets.len();
    // Most assets of a component are divided alike, as a project's are.
    let usual = dice.choice(&kinds[1..]).cloned().unwrap_or_default();
    for place in 0..size {
        let keys = match dice.u32(0..10) {
            0..7 => usual.clone(),
            _ => dice.choice(&kinds).cloned().unwrap_or_default(),
        };
        let mut node = Node {
            key: format!("{group}_{place}"),
            group: group.to_owned(),
            keys,
            retries: dice.u32(0..3),
            ..Node::default()
        };
        for upstream in &assets[first..] {
            if dice.u32(0..10) < 5 {
                node.deps.extend(dep(dice, upstream, &node.keys));
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
        // What a call that died had not made is made by itself later. Where calls die, a batch gives the same
        // then only if it is made from nothing: otherwise its values are sums over all that is made together.
        let batched = node.keys != Keys::None && dice.u32(0..6) == 0;
        if batched && (trouble != Trouble::Outages || node.deps.is_empty()) {
            node.batch = Some(dice.u32(2..4));
        }
        troubles(dice, trouble, &mut node);
        assets.push(node);
    }
}

fn letters() -> Keys {
    Keys::Static(["a", "b", "c"].map(str::to_owned).into())
}

/// From the first of January on.
fn days(end: &str) -> Keys {
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

/// How something can be made from an upstream asset; `None` when no mapping that was drawn fits.
fn dep(dice: &mut Rng, upstream: &Node, keys: &Keys) -> Option<Dep> {
    let [above, below] = [&upstream.keys, keys].map(|keys| keys.definition().ok().flatten());
    let alike = upstream.keys == *keys;
    let drawn = match dice.u32(0..8) {
        0 => Some(PartitionMapping::All),
        1 => Some(PartitionMapping::Last),
        2 => {
            let keys = keys_of(&upstream.keys);
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

/// Whether one is a dimension of the other, which a mapping is inferred for. Days of several dimensions
/// are fewer: they can be made from all days, and not the other way round.
fn is_dimension(above: &Keys, below: &Keys) -> bool {
    match (above, below) {
        (Keys::Daily(..), Keys::Multi(_)) => true,
        (Keys::Multi(dimensions), one) | (one, Keys::Multi(dimensions)) => {
            dimensions.values().any(|dimension| dimension == one)
        }
        _ => false,
    }
}

fn keys_of(keys: &Keys) -> Vec<String> {
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
                let keys = keys_of(dimension);
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

fn troubles(dice: &mut Rng, trouble: Trouble, node: &mut Node) {
    let keys = keys_of(&node.keys);
    for key in &keys {
        if trouble != Trouble::Outages && dice.u32(0..8) == 0 {
            let fault = match (trouble, dice.u32(0..6)) {
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
        let (apart, blocking) = (dice.bool(), dice.bool());
        let some = |dice: &mut Rng, of: u32| {
            let drawn = keys.iter().filter(|_| dice.u32(0..of) == 0);
            let drawn = drawn.filter(|_| trouble != Trouble::Outages);
            drawn.cloned().collect()
        };
        node.checks.push(Check {
            name: name.to_owned(),
            blocking,
            severity: match dice.u32(0..4) {
                0 => Severity::Warn,
                _ => Severity::Error,
            },
            apart,
            wrong_in: some(dice, 4),
            fails_in: match apart {
                true => some(dice, 12),
                false => Default::default(),
            },
        });
    }
}
