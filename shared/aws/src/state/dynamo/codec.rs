//! Records as attributes: JSON that a person can read in the console while the item is small, deflated
//! where that is what keeps it small.

use std::io::{Read, Write};

use aws_sdk_dynamodb::types::AttributeValue;
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use precip_engine::state::{Materialization, Segment, StateError, record_json};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    error::unreadable,
    item::{Attributes, Item, bytes, text},
};

/// A write of up to so many bytes costs 1 WRU.
const UNIT: usize = 1024;

/// No record is larger; what inflates to more is damaged.
const MOST: u64 = 64 * 1024 * 1024;

fn deflate(plain: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok()
}

fn inflate(deflated: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut decoder = DeflateDecoder::new(deflated).take(MOST);
    decoder.read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// Writes JSON into an attribute of an item whose other attributes take `taken` bytes.
pub(super) fn pack_json(json: String, taken: usize) -> AttributeValue {
    if json.len() + taken > UNIT
        && let Some(deflated) = deflate(json.as_bytes())
        && deflated.len() < json.len()
    {
        return bytes(deflated);
    }
    text(json)
}

/// Writes a record into an attribute.
///
/// # Errors
/// `TooLarge`, by the limit of the port.
pub(super) fn pack<T: Serialize>(
    record: &T,
    subject: impl Fn() -> String,
) -> Result<AttributeValue, StateError> {
    // About what keys and conditions take beside it.
    Ok(pack_json(record_json(record, subject)?, 256))
}

fn unpack_json<T: DeserializeOwned>(value: Option<&AttributeValue>) -> Option<T> {
    match value? {
        AttributeValue::S(json) => serde_json::from_str(json).ok(),
        AttributeValue::B(deflated) => serde_json::from_slice(&inflate(deflated.as_ref())?).ok(),
        _ => None,
    }
}

/// Reads a record from an attribute.
///
/// # Errors
/// `Corrupt`, naming the row.
pub(super) fn unpack<T: DeserializeOwned>(
    item: &Item,
    attribute: &str,
    what: &str,
) -> Result<T, StateError> {
    unpack_json(item.get(attribute)).ok_or_else(|| {
        let key = item.key();
        unreadable(what, &key.pk, &key.sk)
    })
}

/// What the columns of the latest row say already, and the record does not repeat.
const COLUMNS: [&str; 3] = ["target", "run", "attempt"];

/// Writes a materialization without what its row says already.
///
/// # Errors
/// `TooLarge`, by the limit of the port.
pub(super) fn pack_made(
    made: &Materialization,
    taken: usize,
) -> Result<AttributeValue, StateError> {
    record_json(made, || made.target.to_string())?;
    let mut record = serde_json::to_value(made).unwrap_or_default();
    if let Value::Object(record) = &mut record {
        let columns: Map<String, Value> = COLUMNS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), record.shift_remove(*name)?)))
            .collect();
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

/// Reads a materialization, and completes it with what its row says.
pub(super) fn unpack_made(
    value: &AttributeValue,
    columns: &Map<String, Value>,
) -> Option<Materialization> {
    let mut record: Map<String, Value> = unpack_json(Some(value))?;
    for check in checks_of(&mut record) {
        for (name, value) in columns {
            check.entry(name).or_insert_with(|| value.clone());
        }
    }
    record.extend(columns.clone());
    serde_json::from_value(Value::Object(record)).ok()
}

/// Writes a bitmap: 512 bytes as they are, fewer if they can be deflated.
pub(super) fn pack_segment(segment: &Segment) -> AttributeValue {
    let plain = segment.as_bytes();
    match deflate(plain) {
        Some(deflated) if deflated.len() < plain.len() => bytes(deflated),
        _ => bytes(plain),
    }
}

/// Reads a bitmap; an empty one when there is none.
pub(super) fn unpack_segment(item: &Item, attribute: &str) -> Result<Segment, StateError> {
    let Some(stored) = item.bytes(attribute) else {
        return Ok(Segment::default());
    };
    Segment::from_bytes(stored)
        .or_else(|| Segment::from_bytes(&inflate(stored)?))
        .ok_or_else(|| {
            let key = item.key();
            unreadable("a bitmap", &key.pk, &key.sk)
        })
}
