//! Items: maps of attributes, and typed access to them.

use std::{collections::HashMap, str::FromStr};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};

use super::keys::Key;

/// A row in the SDK's representation.
pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text_value(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number_value(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn bytes_value(value: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// Builds a row from its key and attributes.
pub(super) fn build_item<const N: usize>(
    key: &Key,
    attributes: [(&str, AttributeValue); N],
) -> Item {
    let mut item: Item = attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    item.insert("pk".to_owned(), text_value(&key.pk));
    item.insert("sk".to_owned(), text_value(&key.sk));
    item
}

/// Typed access to attributes. An attribute of another type counts as missing.
pub(super) trait Attributes {
    fn text(&self, name: &str) -> Option<&str>;
    fn parse_text<T: FromStr>(&self, name: &str) -> Option<T>;
    fn number<T: FromStr>(&self, name: &str) -> Option<T>;
    fn bytes(&self, name: &str) -> Option<&[u8]>;
    fn key(&self) -> Key;
}

impl Attributes for Item {
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_s().ok().map(String::as_str)
    }

    fn parse_text<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.as_n().ok()?.parse().ok()
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.get(name)?.as_b().ok().map(AsRef::as_ref)
    }

    fn key(&self) -> Key {
        // Every row has both parts; an image without them is not a row.
        let part = |name| self.text(name).unwrap_or_default().to_owned();
        Key {
            pk: part("pk"),
            sk: part("sk"),
        }
    }
}
