//! The serialized form of a [`PartitionSet`]: a few runs as text, otherwise a bitmap in base64.

use std::{fmt::Write, ops::Range};

use base64::{Engine, prelude::BASE64_STANDARD};
use roaring::RoaringTreemap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::PartitionSet;

const BITMAP: &str = "roaring:";

/// The greatest number of runs written as readable text.
const MOST_RUNS: usize = 64;

/// The longest accepted run. A longer one is damaged or hostile input, which must not be expanded
/// into bitmap containers.
const LONGEST_RUN: u64 = 1 << 40;

impl Serialize for PartitionSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_text(self))
    }
}

impl<'de> Deserialize<'de> for PartitionSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        from_text(&text).map_err(D::Error::custom)
    }
}

fn to_text(set: &PartitionSet) -> String {
    // Stop counting runs as soon as there are too many for text.
    let runs: Vec<Range<u64>> = set.ranges().take(MOST_RUNS + 1).collect();
    if runs.len() > MOST_RUNS
        && let Some(text) = bitmap_text(set)
    {
        return text;
    }
    let mut text = String::new();
    for run in set.ranges() {
        if !text.is_empty() {
            text.push(',');
        }
        let _ = write!(text, "{}", run.start);
        if run.end - run.start > 1 {
            let _ = write!(text, "-{}", run.end - 1);
        }
    }
    text
}

/// Encodes the bitmap in a canonical form, which does not depend on how the set was built.
fn bitmap_text(set: &PartitionSet) -> Option<String> {
    // Containers can be arrays, bitmaps or runs, depending on history; `optimize` picks the
    // smallest.
    let canonical = RoaringTreemap::from_bitmaps(set.0.bitmaps().map(|(high, bitmap)| {
        let mut optimized = bitmap.clone();
        optimized.remove_run_compression();
        optimized.optimize();
        (high, optimized)
    }));
    let mut bytes = Vec::with_capacity(canonical.serialized_size());
    canonical.serialize_into(&mut bytes).ok()?;
    Some(format!("{BITMAP}{}", BASE64_STANDARD.encode(bytes)))
}

fn from_text(text: &str) -> Result<PartitionSet, String> {
    if let Some(encoded) = text.strip_prefix(BITMAP) {
        let bytes = BASE64_STANDARD.decode(encoded).map_err(|error| {
            format!("the partition set after `{BITMAP}` is not base64: {error}")
        })?;
        return RoaringTreemap::deserialize_from(&*bytes)
            .map(PartitionSet)
            .map_err(|error| {
                format!("the partition set after `{BITMAP}` is not a bitmap: {error}")
            });
    }
    text.split(',')
        .filter(|run| !run.is_empty())
        .map(parse_run)
        .collect()
}

fn parse_run(text: &str) -> Result<Range<u64>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last && last - first < LONGEST_RUN => Ok(first..last + 1),
        _ => Err(format!(
            "`{text}` is not a run of ordinals: write one ordinal or `first-last`, such as `0-30`"
        )),
    }
}
