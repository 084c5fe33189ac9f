//! [`UnknownPartition`]: what to write instead of a key that names nothing.

use std::fmt::Write;

use super::{
    DynamicPartitions, MultiPartitions, PartitionContext, PartitionKey, PartitionsDefinition,
    StaticPartitions, TimeWindowPartitions,
};
use crate::nearest::{nearest, or_list};

/// A key that names no partition that exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no partition `{key}`: {hint}")]
pub struct UnknownPartition {
    /// What was asked for.
    pub key: PartitionKey,
    /// Why not, and what to write instead.
    pub hint: String,
}

/// How many keys a message lists.
const LISTED: usize = 5;
/// In how many keys a near one is looked for: far more than a person reads, few enough to be quick.
const SEARCHED: usize = 10_000;

pub(super) fn explain(
    definition: &PartitionsDefinition,
    key: &PartitionKey,
    context: &PartitionContext,
) -> UnknownPartition {
    let hint = match definition {
        PartitionsDefinition::Static(keys) => static_hint(keys, key),
        PartitionsDefinition::TimeWindow(windows) => window_hint(windows, key, context),
        PartitionsDefinition::Multi(multi) => multi_hint(multi, key, context),
        PartitionsDefinition::Dynamic(dynamic) => dynamic_hint(dynamic, key, context),
    };
    UnknownPartition {
        key: key.clone(),
        hint,
    }
}

fn static_hint(keys: &StaticPartitions, key: &PartitionKey) -> String {
    let near = did_you_mean(key, keys.keys());
    format!(
        "{near}{}",
        listed("The keys are", keys.keys().take(LISTED + 1), keys.count())
    )
}

fn dynamic_hint(
    dynamic: &DynamicPartitions,
    key: &PartitionKey,
    context: &PartitionContext,
) -> String {
    let name = &dynamic.name;
    let keys = || {
        dynamic
            .slots(context)
            .into_iter()
            .flat_map(|slots| slots.iter())
    };
    let count = keys().count() as u64;
    if count == 0 {
        return format!("no key has been added to the dynamic set `{name}` yet");
    }
    let near = did_you_mean(key, keys().map(|(_, key)| key));
    let start = format!("The dynamic set `{name}` holds");
    format!(
        "{near}{}",
        listed(&start, keys().map(|(_, key)| key).take(LISTED + 1), count)
    )
}

fn window_hint(
    windows: &TimeWindowPartitions,
    key: &PartitionKey,
    context: &PartitionContext,
) -> String {
    let count = windows.count(context.now);
    let Some((first, last)) = count
        .checked_sub(1)
        .and_then(|last| windows.key(0).zip(windows.key(last)))
    else {
        let first = windows
            .key(0)
            .map(|key| format!(" The first will be `{key}`"));
        return format!("no window has ended yet.{}", first.unwrap_or_default());
    };
    let extent = format!("The windows that exist run from `{first}` to `{last}`");
    if let Some(window) = windows
        .ordinal(key.as_str())
        .and_then(|at| windows.window(at))
    {
        return if window.end > context.now {
            format!(
                "its window ends at {}, which is still to come. {extent}",
                window.end.format("%FT%TZ")
            )
        } else {
            format!("it lies past the end of the definition. {extent}")
        };
    }
    let searched = (0..count)
        .rev()
        .take(SEARCHED)
        .filter_map(|ordinal| windows.key(ordinal));
    let near = did_you_mean(key, searched.collect::<Vec<_>>().iter());
    format!("{near}{extent}")
}

fn multi_hint(multi: &MultiPartitions, key: &PartitionKey, context: &PartitionContext) -> String {
    let names: Vec<&str> = multi.dimensions().map(|(name, _)| name).collect();
    let shape = format!("a key here is written `{}`", names.join("|"));
    let Some(parts) = multi.parts(key.as_str()) else {
        return format!("{shape}{}", example(multi, context));
    };
    let mut hint = String::new();
    for ((name, dimension), part) in std::iter::zip(multi.dimensions(), parts) {
        if dimension.contains(part, context) {
            continue;
        }
        let unknown = explain(dimension, &part.into(), context);
        if !hint.is_empty() {
            hint.push_str("; ");
        }
        let _ = write!(hint, "dimension `{name}` has no `{part}`: {}", unknown.hint);
    }
    if hint.is_empty() {
        return "a dimension has outgrown the room for its ordinals".to_owned();
    }
    format!("{hint}; {shape}")
}

fn example(multi: &MultiPartitions, context: &PartitionContext) -> String {
    let last = multi
        .last(context)
        .and_then(|last| multi.key(last, context));
    last.map(|key| format!(", such as `{key}`"))
        .unwrap_or_default()
}

fn did_you_mean<'k>(
    key: &PartitionKey,
    candidates: impl Iterator<Item = &'k PartitionKey>,
) -> String {
    let near = nearest(
        key.as_str(),
        candidates.take(SEARCHED).map(PartitionKey::as_str),
    );
    if near.is_empty() {
        String::new()
    } else {
        format!("did you mean {}? ", or_list(&near))
    }
}

fn listed<'k>(start: &str, keys: impl Iterator<Item = &'k PartitionKey>, count: u64) -> String {
    let keys: Vec<String> = keys.map(|key| format!("`{key}`")).collect();
    match keys.as_slice() {
        [] => "there are no keys at all".to_owned(),
        [only] => format!("{start} {only} alone"),
        [all @ .., last] if all.len() < LISTED => format!("{start} {} and {last}", all.join(", ")),
        [some @ .., _] => {
            format!(
                "{start} {} and {} more",
                some.join(", "),
                count - some.len() as u64
            )
        }
    }
}
