//! Derives the columns of a row type from its `Deserialize` implementation.
//!
//! The type is deserialized from samples repeatedly. Each pass either discovers a field, or finds that a sample was
//! refused and tries the next one there, until a pass discovers nothing new. A field that refuses the text `""` but
//! accepts `1970-01-01` holds a date, whichever library its type comes from.

mod access;
mod de;
mod node;
mod sampler;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::Deserialize;

use self::{
    node::{Kind, Node},
    sampler::{Sampler, TraceError},
};
use crate::convert::ConvertError;

/// Largest number of passes, which no reasonable type approaches: each pass decides at least one sample of one field.
const MAX_PASSES: usize = 20_000;

/// Returns the columns that a row type is stored in.
///
/// | field | column |
/// |---|---|
/// | integers, floats, `bool` | the Arrow type of the same size |
/// | `String`, `char`, enums without data, text that a type parses (decimals, UUIDs, addresses) | `Utf8` |
/// | chrono's and jiff's dates, times of day and civil date-times | `Date32`, `Time64(us)`, `Timestamp(us)` |
/// | `DateTime<Utc>` (another offset is converted to UTC), `jiff::Timestamp` | `Timestamp(us, UTC)` |
/// | `Vec`, structs, tuples, maps | `List`, `Struct`, `Map` |
/// | `Option` | the same, nullable |
///
/// Times are stored to the microsecond: rows with smaller digits are refused.
///
/// # Errors
/// [`ConvertError`] that names every field without a column type: enums with data, untyped JSON, `i128`,
/// recursive types.
pub fn schema_of<'de, T: Deserialize<'de>>() -> Result<SchemaRef, ConvertError> {
    let row = crate::convert::short_type_name::<T>();
    let mut root = Node::default();
    for _ in 0..MAX_PASSES {
        let sampler = Sampler::default();
        let outcome = T::deserialize(sampler.sample_at(&mut root, 0));
        // Something new was found: a later pass may find more.
        if sampler.has_learned() {
            continue;
        }
        // The pass found nothing new: the tree is complete.
        let problems = root.collect_problems("");
        if !problems.is_empty() {
            return Err(ConvertError::new(format!(
                "`{row}` cannot be stored as the rows of a table: {}",
                problems.join("; ")
            )));
        }
        return match root.kind {
            Kind::Struct(_) if !root.nullable => Ok(Arc::new(Schema::new(root.struct_fields()))),
            Kind::Leaf(DataType::UInt8) => Err(ConvertError::new(
                "`Vec<u8>` is a table of numbers; use `bytes::Bytes` for bytes",
            )),
            Kind::Unknown => Err(ConvertError::new(format!(
                "the columns of `{row}` cannot be derived from its `Deserialize`{}; use a `Table` with a schema of your own",
                outcome
                    .err()
                    .map(|TraceError(e)| format!(" ({e})"))
                    .unwrap_or_default(),
            ))),
            _ => Err(ConvertError::new(format!(
                "`{row}` is not a struct with named fields, so it has no columns; use a struct for each row, or `Json<Vec<{row}>>`"
            ))),
        };
    }
    Err(ConvertError::new(format!(
        "the columns of `{row}` cannot be derived from its `Deserialize`; use a `Table` with a schema of your own"
    )))
}

impl Node {
    fn struct_fields(&self) -> Vec<Field> {
        match &self.kind {
            Kind::Struct(children) => children
                .iter()
                .map(|(name, child)| child.to_field(name))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn to_field(&self, name: &str) -> Field {
        let data_type = match &self.kind {
            Kind::Unknown => DataType::Null,
            Kind::Leaf(data_type) => data_type.clone(),
            Kind::Text => self.text_type(),
            Kind::Struct(_) => DataType::Struct(self.struct_fields().into()),
            Kind::List(item) => DataType::List(Arc::new(item.to_field("item"))),
            Kind::Map(key, value) => {
                let fields = [key.to_field("keys"), value.to_field("values")];
                let entry = DataType::Struct(fields.into_iter().collect());
                DataType::Map(Arc::new(Field::new("entries", entry, false)), false)
            }
        };
        let nullable = self.nullable || data_type == DataType::Null;
        Field::new(name, data_type, nullable)
    }
}

#[cfg(test)]
mod tests;
