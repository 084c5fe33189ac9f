//! [`Fields`]: the parameters of a call, of which none may be unknown.

use serde_json::{Map, Value as Json};

use super::{
    error::Failure,
    table::{Key, PARTITION_KEY, SORT_KEY},
    value::{Attributes, Value, attributes_from_json},
};

/// The longest partition key and the longest sort key, in bytes.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LONGEST_KEYS: [(&str, &str, usize); 2] = [
    (PARTITION_KEY, "hashkey", 2048),
    (SORT_KEY, "rangekey", 1024),
];

/// The parameters of a call, or of a part of one.
pub(crate) struct Fields<'a>(&'a Map<String, Json>);

impl<'a> Fields<'a> {
    /// Reads an object with these parameters.
    ///
    /// # Panics
    /// For a parameter that is not among them: it would be ignored here, and not by AWS.
    pub(crate) fn new(json: &'a Json, call: &str, known: &[&str]) -> Result<Self, Failure> {
        let object = json.as_object();
        let object =
            object.ok_or_else(|| Failure::validation(format!("{call} expects an object")))?;
        for name in object.keys() {
            assert!(
                known.contains(&name.as_str()),
                "the strict AWS does not know the parameter {name} of {call}"
            );
        }
        Ok(Self(object))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Json> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&'a Json, Failure> {
        self.get(name).ok_or_else(|| {
            Failure::validation(format!(
                "1 validation error detected: Value null at '{name}' failed to satisfy constraint: \
                 Member must not be null"
            ))
        })
    }

    pub(crate) fn text(&self, name: &str) -> Result<&'a str, Failure> {
        let text = self.required(name)?.as_str();
        text.ok_or_else(|| Failure::validation(format!("{name} must be a string")))
    }

    pub(crate) fn expression(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(Json::as_str)
    }

    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).and_then(Json::as_bool).unwrap_or(default)
    }

    /// Returns an option that must be one of these values.
    pub(crate) fn choice(&self, name: &str, values: &[&str]) -> Result<Option<&'a str>, Failure> {
        let Some(value) = self.expression(name) else {
            return Ok(None);
        };
        if values.contains(&value) {
            return Ok(Some(value));
        }
        Err(Failure::validation(format!(
            "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: \
             Member must satisfy enum value set: [{}]",
            values.join(", ")
        )))
    }

    /// Returns `true` if the units that the call consumes are to be returned.
    pub(crate) fn wants_capacity(&self) -> Result<bool, Failure> {
        let wanted = self.choice("ReturnConsumedCapacity", &["TOTAL", "NONE"])?;
        Ok(wanted == Some("TOTAL"))
    }

    /// Returns `true` if a refused write is to return the current item.
    pub(crate) fn wants_refusing_item(&self) -> Result<bool, Failure> {
        let wanted = self.choice("ReturnValuesOnConditionCheckFailure", &["ALL_OLD", "NONE"])?;
        Ok(wanted == Some("ALL_OLD"))
    }

    /// Returns the key of an item.
    pub(crate) fn key(&self, name: &str) -> Result<Key, Failure> {
        let attributes = attributes_from_json(self.required(name)?, 1)?;
        let key = key_of(&attributes)?;
        if attributes.len() > 2 {
            return Err(Failure::validation(
                "The provided key element does not match the schema",
            ));
        }
        Ok(key)
    }

    /// Returns an item with its key.
    pub(crate) fn item(&self, name: &str) -> Result<(Key, Attributes), Failure> {
        let item = attributes_from_json(self.required(name)?, 1)?;
        let key = key_of(&item)?;
        Ok((key, item))
    }
}

/// Returns the key of an item, or of a set of key attributes.
fn key_of(attributes: &Attributes) -> Result<Key, Failure> {
    for (name, kind, longest) in LONGEST_KEYS {
        let text = match attributes.get(name) {
            None => {
                return Err(Failure::validation(format!(
                    "One or more parameter values were invalid: Missing the key {name} in the item"
                )));
            }
            Some(Value::Text(text)) => text,
            Some(other) => {
                return Err(Failure::validation(format!(
                    "One or more parameter values were invalid: Type mismatch for key {name} expected: \
                     S actual: {}",
                    other.kind()
                )));
            }
        };
        if text.is_empty() {
            return Err(Failure::validation(format!(
                "One or more parameter values are not valid. The AttributeValue for a key attribute \
                 cannot contain an empty string value. Key: {name}"
            )));
        }
        if text.len() > longest {
            return Err(Failure::validation(format!(
                "One or more parameter values were invalid: Size of {kind} has exceeded the maximum \
                 size limit of{longest} bytes"
            )));
        }
    }
    Key::of_item(attributes)
        .ok_or_else(|| Failure::validation("The provided key element does not match the schema"))
}
