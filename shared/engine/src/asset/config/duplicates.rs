//! [`parse_config`]: run config as a person writes it.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

/// Parses run config from JSON text.
///
/// # Errors
/// [`serde_json::Error`] for text that is not JSON, or, as a [data error](serde_json::Error::is_data), for an object
/// that has a field twice, of which JSON parsers usually take the last.
///
/// ```
/// use precip_engine::asset::parse_config;
///
/// let error = parse_config(r#"{"flights": {"limit": 5, "limit": 6}}"#).unwrap_err();
/// assert!(error.to_string().starts_with("field `limit` is given twice"));
/// ```
pub fn parse_config(text: &str) -> Result<Value, serde_json::Error> {
    let value = serde_json::from_str(text)?;
    serde_json::from_str::<DistinctFields>(text)?;
    Ok(value)
}

/// Any JSON whose objects have distinct fields.
struct DistinctFields;

impl<'de> Deserialize<'de> for DistinctFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for DistinctFields {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format_args!(
                    "field `{name}` is given twice"
                )));
            }
            names.insert(name);
            entries.next_value::<Self>()?;
        }
        Ok(self)
    }
}
