//! Records as attributes: plain JSON, readable in the console, while the item is small; deflated JSON
//! where that keeps the item small.

use std::io::{Read, Write};

use aws_sdk_dynamodb::types::AttributeValue;
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use precip_engine::state::{Materialization, Segment, StateError, record_json};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    error::unreadable_row,
    item::{Attributes, Item, bytes_value, text_value},
};

/// The size up to which a write costs 1 WRU, in bytes.
const UNIT: usize = 1024;

/// The size at which inflating stops, in bytes. No record is larger, so more means damage.
const MAX_INFLATED: u64 = 64 * 1024 * 1024;

fn deflate(plain: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok()
}

fn inflate(deflated: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut decoder = DeflateDecoder::new(deflated).take(MAX_INFLATED);
    decoder.read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// Encodes JSON as an attribute of an item whose other attributes take `taken` bytes.
pub(super) fn pack_json(json: String, taken: usize) -> AttributeValue {
    // Deflating helps only beyond one unit, and only if it makes the record smaller.
    if json.len() + taken > UNIT
        && let Some(deflated) = deflate(json.as_bytes())
        && deflated.len() < json.len()
    {
        return bytes_value(deflated);
    }
    text_value(json)
}

/// Encodes a record as an attribute.
///
/// # Errors
/// `TooLarge`, by the limit of the port.
pub(super) fn pack_record<T: Serialize>(
    record: &T,
    subject: impl Fn() -> String,
) -> Result<AttributeValue, StateError> {
    // 256 bytes: roughly the keys and the other attributes of the item.
    Ok(pack_json(record_json(record, subject)?, 256))
}

fn unpack_json<T: DeserializeOwned>(value: Option<&AttributeValue>) -> Option<T> {
    match value? {
        AttributeValue::S(json) => serde_json::from_str(json).ok(),
        AttributeValue::B(deflated) => serde_json::from_slice(&inflate(deflated.as_ref())?).ok(),
        _ => None,
    }
}

/// Decodes a record from an attribute.
///
/// # Errors
/// `Corrupt`, naming the row.
pub(super) fn unpack_record<T: DeserializeOwned>(
    item: &Item,
    attribute: &str,
    what: &str,
) -> Result<T, StateError> {
    unpack_json(item.get(attribute)).ok_or_else(|| {
        let key = item.key();
        unreadable_row(what, &key.pk, &key.sk)
    })
}

/// The fields of a materialization that attributes of the latest row hold, and its record omits.
const COLUMNS: [&str; 3] = ["target", "run", "attempt"];

/// Encodes a materialization without the fields that its row holds.
///
/// # Errors
/// `TooLarge`, by the limit of the port.
pub(super) fn pack_materialization(
    made: &Materialization,
    taken: usize,
) -> Result<AttributeValue, StateError> {
    record_json(made, || made.target.to_string())?;
    let mut record = serde_json::to_value(made).unwrap_or_default();
    if let Value::Object(record) = &mut record {
        // The fields are moved out of the record, not copied: its row already holds them.
        let columns: Map<String, Value> = COLUMNS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), record.shift_remove(*name)?)))
            .collect();
        // Its checks are of the same target, run and attempt, unless they were made to differ.
        for check in checks_of(record) {
            check.retain(|name, value| columns.get(name) != Some(value));
        }
    }
    Ok(pack_json(record.to_string(), taken))
}

fn checks_of(record: &mut Map<String, Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    let checks = record.get_mut("checks").and_then(Value::as_array_mut);
    checks
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

/// Decodes a materialization, and completes it from the attributes of its row.
pub(super) fn unpack_materialization(
    value: &AttributeValue,
    columns: &Map<String, Value>,
) -> Option<Materialization> {
    let mut record: Map<String, Value> = unpack_json(Some(value))?;
    // A check keeps its own field where it differs from the row's.
    for check in checks_of(&mut record) {
        for (name, value) in columns {
            check.entry(name).or_insert_with(|| value.clone());
        }
    }
    record.extend(columns.clone());
    serde_json::from_value(Value::Object(record)).ok()
}

/// Encodes a bitmap: 512 bytes, or fewer if deflating helps.
pub(super) fn pack_segment(segment: &Segment) -> AttributeValue {
    let plain = segment.as_bytes();
    match deflate(plain) {
        Some(deflated) if deflated.len() < plain.len() => bytes_value(deflated),
        _ => bytes_value(plain),
    }
}

/// Decodes a bitmap; a missing attribute is an empty one.
pub(super) fn unpack_segment(item: &Item, attribute: &str) -> Result<Segment, StateError> {
    let Some(stored) = item.bytes(attribute) else {
        return Ok(Segment::default());
    };
    // Plain bitmaps have a fixed length that no deflated one has.
    Segment::from_bytes(stored)
        .or_else(|| Segment::from_bytes(&inflate(stored)?))
        .ok_or_else(|| {
            let key = item.key();
            unreadable_row("a bitmap", &key.pk, &key.sk)
        })
}
