//! Writes and their conditions.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::super::{item::Item, keys::Key};

/// What has to hold for a write to be made.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Guard {
    pub(in super::super) condition: Option<String>,
    pub(in super::super) values: Vec<(String, AttributeValue)>,
    pub(in super::super) names: Vec<(String, String)>,
}

impl Guard {
    /// No condition.
    pub(in super::super) fn none() -> Self {
        Self::default()
    }

    /// A condition.
    pub(in super::super) fn when(condition: impl Into<String>) -> Self {
        Self {
            condition: Some(condition.into()),
            ..Self::default()
        }
    }

    /// Names a value of the condition or of the update, such as `:run`.
    pub(in super::super) fn value(
        mut self,
        name: impl Into<String>,
        value: AttributeValue,
    ) -> Self {
        self.values.push((name.into(), value));
        self
    }

    /// Names an attribute, such as `#h`.
    pub(in super::super) fn name(
        mut self,
        placeholder: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        self.names.push((placeholder.into(), name.into()));
        self
    }

    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.iter().cloned().collect())
    }

    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.iter().cloned().collect())
    }
}

/// A write.
#[derive(Debug, Clone)]
pub(in super::super) enum Op {
    /// Replaces a row.
    Put(Item, Guard),
    /// Changes attributes of a row by an update expression.
    Update(Key, String, Guard),
    /// Takes a row away.
    Delete(Key, Guard),
    /// Changes nothing; in a transaction only.
    Check(Key, Guard),
}

/// What came of a write.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Written {
    /// It was made.
    Done,
    /// Its condition does not hold; the row as it is, if there is one.
    Refused(Option<Item>),
}

impl Written {
    pub(in super::super) fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

/// What came of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Transacted {
    /// All of it was made.
    Done,
    /// Nothing was. Of each write: whether its condition did not hold, with the row as it is.
    Refused(Vec<Option<Option<Item>>>),
}
