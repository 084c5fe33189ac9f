//! The columns of a row type, told from its `Deserialize` alone.
//!
//! The type is deserialized from samples, again and again: each pass either learns of a field, or
//! finds that a sample was refused and tries the next one there, until a pass teaches nothing new. A
//! field whose text is refused as `""` but taken as `1970-01-01` holds a date, whichever library its
//! type comes from.

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

/// A bound on passes that no honest type comes near: a pass settles at least one sample of one field.
const MAX_PASSES: usize = 20_000;

/// The columns that a row type is stored in.
///
/// | field | column |
/// |---|---|
/// | integers, floats, `bool` | the Arrow type of the same size |
/// | `String`, `char`, enums without data, text that a type parses (decimals, UUIDs, addresses) | `Utf8` |
/// | chrono's and jiff's dates, times of day and civil date-times | `Date32`, `Time64(us)`, `Timestamp(us)` |
/// | `DateTime<Utc>` (another offset is turned to UTC), `jiff::Timestamp` | `Timestamp(us, UTC)` |
/// | `Vec`, structs, tuples, maps | `List`, `Struct`, `Map` |
/// | `Option` | the same, nullable |
///
/// Times are kept to the microsecond; what is below is cut off.
///
/// # Errors
/// [`ConvertError`] naming every field that has no column type: enums with data, untyped JSON, `i128`,
/// recursive types.
pub fn schema_of<'de, T: Deserialize<'de>>() -> Result<SchemaRef, ConvertError> {
    let row = crate::convert::short_type_name::<T>();
    let mut root = Node::default();
    for _ in 0..MAX_PASSES {
        let sampler = Sampler::default();
        let outcome = T::deserialize(sampler.at(&mut root, 0));
        if sampler.learned() {
            continue;
        }
        let problems = root.problems("");
        if !problems.is_empty() {
            return Err(ConvertError::new(format!(
                "`{row}` cannot be stored as the rows of a table: {}",
                problems.join("; ")
            )));
        }
        return match root.kind {
            Kind::Struct(_) if !root.nullable => Ok(Arc::new(Schema::new(root.fields()))),
            Kind::Leaf(DataType::UInt8) => Err(ConvertError::new(
                "`Vec<u8>` is a table of numbers; use `bytes::Bytes` for bytes",
            )),
            Kind::Unknown => Err(ConvertError::new(format!(
                "the columns of `{row}` cannot be told from its `Deserialize`{}; use a `Table` with a schema of your own",
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
        "the columns of `{row}` cannot be told from its `Deserialize`; use a `Table` with a schema of your own"
    )))
}

impl Node {
    fn fields(&self) -> Vec<Field> {
        match &self.kind {
            Kind::Struct(children) => children
                .iter()
                .map(|(name, child)| child.field(name))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn field(&self, name: &str) -> Field {
        let data_type = match &self.kind {
            Kind::Unknown => DataType::Null,
            Kind::Leaf(data_type) => data_type.clone(),
            Kind::Text => self.text_type(),
            Kind::Struct(_) => DataType::Struct(self.fields().into()),
            Kind::List(item) => DataType::List(Arc::new(item.field("item"))),
            Kind::Map(key, value) => {
                let entries = [key.field("keys"), value.field("values")];
                let entries = DataType::Struct(entries.into_iter().collect());
                DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
            }
        };
        let nullable = self.nullable || data_type == DataType::Null;
        Field::new(name, data_type, nullable)
    }
}

#[cfg(test)]
mod tests;
