//! Cutting of metadata.

use precip_core::metadata::{Metadata, MetadataValue};

use super::text::{cut_text, json_len};

/// The length up to which an entry is never cut: entries are left out instead.
const MIN_ENTRY: usize = 1024;
/// The maximum length of an entry's name.
const MAX_NAME: usize = 256;
/// The name of the entry that counts those that were left out.
const LEFT_OUT: &str = "precip/left_out";

/// Returns `true` if metadata takes at most `most` bytes.
pub fn metadata_fits(metadata: &Metadata, most: usize) -> bool {
    metadata.iter().map(entry_len).sum::<usize>() <= most
}

/// Returns metadata that takes at most `most` bytes. The largest values are cut, to one size; a value
/// that is cut becomes a text. Where too little would be left of each, the last entries are left out,
/// and counted in an entry of their own.
pub fn cut_metadata(metadata: Metadata, most: usize, note: &str) -> Metadata {
    if metadata_fits(&metadata, most) {
        return metadata;
    }
    let lengths: Vec<usize> = metadata.iter().map(entry_len).collect();
    let largest = largest_share(&lengths, most).max(MIN_ENTRY);
    // Where every entry has its share, nothing is left out, and the count needs no room.
    let all_fit = lengths
        .iter()
        .map(|length| length.min(&largest))
        .sum::<usize>()
        <= most;
    let mut room = if all_fit {
        most
    } else {
        most.saturating_sub(MIN_ENTRY)
    };
    let (mut kept, mut left_out) = (Metadata::new(), 0_usize);
    for ((name, value), length) in metadata.into_iter().zip(lengths) {
        if length.min(largest) > room {
            left_out += 1;
            continue;
        }
        room -= length.min(largest);
        let name = cut_text(&name, MAX_NAME, "");
        let value = if length > largest {
            cut_value(
                &value,
                largest.saturating_sub(json_len(&name) + OVERHEAD),
                note,
            )
        } else {
            value
        };
        kept.insert(name, value);
    }
    if left_out > 0 {
        let count = cut_text(&format!("{left_out} more entries{note}"), MIN_ENTRY / 2, "");
        kept.insert(LEFT_OUT.to_owned(), MetadataValue::Text(count));
    }
    kept
}

/// The punctuation of an entry, and the name of its type.
const OVERHEAD: usize = 48;

fn entry_len((name, value): (&String, &MetadataValue)) -> usize {
    json_len(name) + OVERHEAD + value_len(value)
}

fn value_len(value: &MetadataValue) -> usize {
    match value {
        MetadataValue::Text(text)
        | MetadataValue::Path(text)
        | MetadataValue::Url(text)
        | MetadataValue::Markdown(text) => json_len(text),
        MetadataValue::Json(_) | MetadataValue::TableSchema(_) => plain_text(value).len(),
        MetadataValue::Int(_)
        | MetadataValue::Float(_)
        | MetadataValue::Bool(_)
        | MetadataValue::Timestamp(_) => 32,
    }
}

/// Cuts a value. The beginning of a path, an address or a JSON value is not one, so it becomes a text.
fn cut_value(value: &MetadataValue, most: usize, note: &str) -> MetadataValue {
    match value {
        MetadataValue::Markdown(text) => MetadataValue::Markdown(cut_text(text, most, note)),
        MetadataValue::Text(text) | MetadataValue::Path(text) | MetadataValue::Url(text) => {
            MetadataValue::Text(cut_text(text, most, note))
        }
        MetadataValue::Json(_) | MetadataValue::TableSchema(_) => {
            MetadataValue::Text(cut_text(&plain_text(value), most, note))
        }
        MetadataValue::Int(_)
        | MetadataValue::Float(_)
        | MetadataValue::Bool(_)
        | MetadataValue::Timestamp(_) => value.clone(),
    }
}

/// Returns a structured value as JSON.
fn plain_text(value: &MetadataValue) -> String {
    let json = match value {
        MetadataValue::Json(json) => serde_json::to_string(json),
        value => serde_json::to_string(value),
    };
    json.unwrap_or_default()
}

/// Returns the length to which the largest entries are cut, so that all together take `most`.
fn largest_share(lengths: &[usize], most: usize) -> usize {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let mut room = most;
    let count = sorted.len();
    for (index, length) in sorted.into_iter().enumerate() {
        let share = room / (count - index);
        if length > share {
            return share;
        }
        room -= length;
    }
    usize::MAX
}
