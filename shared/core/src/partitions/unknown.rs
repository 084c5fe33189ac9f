//! [`UnknownPartition`]: a key without a partition, with advice on what to write instead.

use std::fmt::Write;

use super::{
    DynamicPartitions, MultiPartitions, PartitionContext, PartitionKey, PartitionsDefinition,
    StaticPartitions, TimeWindowPartitions,
};
use crate::{nearest::nearest_names, prose};

/// A key that names no existing partition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no partition `{key}`: {hint}")]
pub struct UnknownPartition {
    /// The unknown key.
    pub key: PartitionKey,
    /// The reason, and what to write instead.
    pub hint: String,
}

/// The number of keys that a message lists.
const MAX_LISTED: usize = 5;
/// The number of keys searched for a similar one: few enough to be quick.
const MAX_SEARCHED: usize = 10_000;

/// Explains why a key names no partition.
pub(super) fn explain_unknown(
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
    let suggestion = did_you_mean(key, keys.keys());
    format!(
        "{suggestion}{}",
        list_keys(
            "The keys are",
            keys.keys().take(MAX_LISTED + 1),
            keys.count()
        )
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
            .recorded_keys(context)
            .into_iter()
            .flat_map(|slots| slots.iter())
    };
    // A removed key leaves an empty slot, so count the keys themselves.
    let count = keys().count() as u64;
    // With several dimensions, `key` is the part of this one.
    let add = format!(
        "`dynamic {} add {}` adds it",
        prose::shell_word(name),
        prose::shell_word(key.as_str())
    );
    if count == 0 {
        return format!("no key has been added to the dynamic set `{name}` yet: {add}");
    }
    let suggestion = did_you_mean(key, keys().map(|(_, key)| key));
    let start = format!("The dynamic set `{name}` holds");
    format!(
        "{suggestion}{}; {add}",
        list_keys(
            &start,
            keys().map(|(_, key)| key).take(MAX_LISTED + 1),
            count
        )
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
        let preview = windows
            .key(0)
            .map(|key| format!(" The first will be `{key}`"));
        return format!("no window has ended yet.{}", preview.unwrap_or_default());
    };
    // The key may name a window of the schedule that does not exist (yet).
    let extent = format!("The windows that exist run from `{first}` to `{last}`");
    if let Some(window) = windows
        .ordinal(key.as_str())
        .and_then(|at| windows.window(at))
    {
        return if window.end > context.now {
            format!(
                "its window ends at {}, which is in the future. {extent}",
                window.end.format("%FT%TZ")
            )
        } else {
            format!("it lies past the end of the definition. {extent}")
        };
    }
    // Newest first: a mistyped key is more likely to mean a recent window.
    let searched = (0..count)
        .rev()
        .take(MAX_SEARCHED)
        .filter_map(|ordinal| windows.key(ordinal));
    let suggestion = did_you_mean(key, searched.collect::<Vec<_>>().iter());
    format!("{suggestion}{extent}")
}

fn multi_hint(multi: &MultiPartitions, key: &PartitionKey, context: &PartitionContext) -> String {
    let names: Vec<&str> = multi.dimensions().map(|(name, _)| name).collect();
    let shape = format!("a key here is written `{}`", names.join("|"));
    let Some(parts) = multi.split_key(key.as_str()) else {
        return format!("{shape}{}", example_suffix(multi, context));
    };
    // Explain each part by its own dimension.
    let mut hint = String::new();
    for ((name, dimension), part) in std::iter::zip(multi.dimensions(), parts) {
        if dimension.contains(part, context) {
            continue;
        }
        let unknown = explain_unknown(dimension, &part.into(), context);
        if !hint.is_empty() {
            hint.push_str("; ");
        }
        let _ = write!(hint, "dimension `{name}` has no `{part}`: {}", unknown.hint);
    }
    // Every part exists, so only the combination has no ordinal.
    if hint.is_empty() {
        return "a dimension has more keys than ordinals".to_owned();
    }
    format!("{hint}; {shape}")
}

fn example_suffix(multi: &MultiPartitions, context: &PartitionContext) -> String {
    let last = multi
        .last(context)
        .and_then(|last| multi.key(last, context));
    last.map(|key| format!(", such as `{}`", key.to_selector()))
        .unwrap_or_default()
}

/// Returns a question that suggests similar keys, or an empty string.
fn did_you_mean<'k>(
    key: &PartitionKey,
    candidates: impl Iterator<Item = &'k PartitionKey>,
) -> String {
    let known = candidates.take(MAX_SEARCHED).map(PartitionKey::as_str);
    let near: Vec<String> = nearest_names(key.as_str(), known)
        .into_iter()
        .map(|near| PartitionKey::from(near).to_selector())
        .collect();
    prose::suggest(&near).map_or_else(String::new, |question| format!("{question} "))
}

/// Lists keys after `start`, at most [`MAX_LISTED`] of them.
fn list_keys<'k>(start: &str, keys: impl Iterator<Item = &'k PartitionKey>, count: u64) -> String {
    let quoted: Vec<String> = keys.map(|key| format!("`{}`", key.to_selector())).collect();
    match quoted.as_slice() {
        [] => "there are no keys at all".to_owned(),
        [only] => format!("{start} {only} alone"),
        [all @ .., last] if all.len() < MAX_LISTED => {
            format!("{start} {} and {last}", all.join(", "))
        }
        [some @ .., _] => {
            format!(
                "{start} {} and {} more",
                some.join(", "),
                count - some.len() as u64
            )
        }
    }
}
