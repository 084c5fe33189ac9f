//! Values of attributes, in the form of DynamoDB's JSON.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value as Json, json};

use super::{error::Failure, number::Number};

/// The attributes of an item, or the entries of a map.
pub(crate) type Attributes = BTreeMap<String, Value>;

/// The deepest nesting of values.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const NESTING: usize = 32;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Number(Number),
    Bytes(Vec<u8>),
    Bool(bool),
    Null,
    Map(Attributes),
    List(Vec<Value>),
}

impl Value {
    /// Returns the descriptor of the value's type, such as `S`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "S",
            Self::Number(_) => "N",
            Self::Bytes(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::Map(_) => "M",
            Self::List(_) => "L",
        }
    }

    /// Reads a value of a request.
    ///
    /// # Panics
    /// For sets, which no caller uses.
    pub(crate) fn from_json(json: &Json, depth: usize) -> Result<Self, Failure> {
        if depth > NESTING {
            return Err(Failure::validation(
                "Nesting Levels have exceeded supported limits",
            ));
        }
        let entries = json
            .as_object()
            .map(|object| object.iter().collect::<Vec<_>>());
        let Some([(kind, content)]) = entries.as_deref() else {
            return Err(Failure::validation(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ));
        };
        let text = || {
            let text = content.as_str();
            text.ok_or_else(|| Failure::validation(format!("{kind} must be a string")))
        };
        Ok(match kind.as_str() {
            "S" => Self::Text(text()?.to_owned()),
            "N" => {
                let number = Number::parse(text()?);
                Self::Number(number.map_err(|error| Failure::validation(error.to_string()))?)
            }
            "B" => {
                let bytes = BASE64_STANDARD.decode(text()?);
                Self::Bytes(bytes.map_err(|error| Failure::validation(error.to_string()))?)
            }
            "BOOL" => Self::Bool(
                content
                    .as_bool()
                    .ok_or_else(|| Failure::validation("BOOL must be true or false"))?,
            ),
            "NULL" if content.as_bool() == Some(true) => Self::Null,
            "NULL" => {
                return Err(Failure::validation(
                    "Null attribute value types must have the value of true",
                ));
            }
            "M" => Self::Map(attributes_from_json(content, depth + 1)?),
            "L" => {
                let values = content.as_array().map(Vec::as_slice).unwrap_or_default();
                let values = values.iter().map(|value| Self::from_json(value, depth + 1));
                Self::List(values.collect::<Result<_, _>>()?)
            }
            other => panic!("the strict AWS does not know values of type {other}"),
        })
    }

    /// Writes the value as an answer has it.
    pub(crate) fn to_json(&self) -> Json {
        match self {
            Self::Text(text) => json!({"S": text}),
            Self::Number(number) => json!({"N": number.to_string()}),
            Self::Bytes(bytes) => json!({"B": BASE64_STANDARD.encode(bytes)}),
            Self::Bool(value) => json!({"BOOL": value}),
            Self::Null => json!({"NULL": true}),
            Self::Map(entries) => json!({"M": item_to_json(entries)}),
            Self::List(values) => {
                json!({"L": values.iter().map(Self::to_json).collect::<Vec<_>>()})
            }
        }
    }

    /// Returns the size of the value in bytes, as DynamoDB charges it.
    ///
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Number(number) => number.size(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            // Three bytes for the map or the list, and one for each of its elements.
            Self::Map(entries) => 3 + entries.len() + item_size(entries),
            Self::List(values) => 3 + values.iter().map(|value| 1 + value.size()).sum::<usize>(),
        }
    }
}

/// Reads the attributes of an item, or the entries of a map.
pub(crate) fn attributes_from_json(json: &Json, depth: usize) -> Result<Attributes, Failure> {
    let Some(object) = json.as_object() else {
        return Err(Failure::validation("a map of attributes is expected"));
    };
    let attribute = |(name, value): (&String, &Json)| {
        if name.is_empty() || name.len() > 64 * 1024 - 1 {
            return Err(Failure::validation(
                "Attribute name must have 1 to 65535 bytes",
            ));
        }
        Ok((name.clone(), Value::from_json(value, depth)?))
    };
    object.iter().map(attribute).collect()
}

/// Writes an item as an answer has it.
pub(crate) fn item_to_json(item: &Attributes) -> Json {
    let entries = item
        .iter()
        .map(|(name, value)| (name.clone(), value.to_json()));
    Json::Object(entries.collect::<Map<_, _>>())
}

/// Returns the size of an item in bytes, as DynamoDB charges it: names and values.
pub(crate) fn item_size(item: &Attributes) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value.size())
        .sum()
}
