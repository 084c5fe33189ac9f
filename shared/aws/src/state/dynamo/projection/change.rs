//! [`Change`].

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::super::{
    item::{Attributes, Item},
    keys::Key,
};

/// One record of the table's stream: a row before and after a change.
///
/// From a Lambda event: `Change::new(record.change.keys.into_inner(),
/// record.change.old_image.into_inner(), record.change.new_image.into_inner())`.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub(super) key: Key,
    pub(super) old: Option<Item>,
    pub(super) new: Option<Item>,
}

impl Change {
    /// Builds a change from the parts of a stream record. An image without attributes means that there
    /// is no row, as in Lambda's events.
    pub fn new<V: Into<AttributeValue>>(
        keys: HashMap<String, V>,
        old_image: HashMap<String, V>,
        new_image: HashMap<String, V>,
    ) -> Self {
        let image = |image: HashMap<String, V>| -> Option<Item> {
            let item: Item = image
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect();
            (!item.is_empty()).then_some(item)
        };
        Self {
            key: image(keys).unwrap_or_default().key(),
            old: image(old_image),
            new: image(new_image),
        }
    }
}
