//! Writes and their conditions.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::super::{item::Item, keys::Key};

/// The condition of a write, with the values and names that its expressions use.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Guard {
    pub(in super::super) condition: Option<String>,
    pub(in super::super) values: Vec<(String, AttributeValue)>,
    pub(in super::super) names: Vec<(String, String)>,
}

impl Guard {
    /// Creates a guard without a condition.
    pub(in super::super) fn unconditional() -> Self {
        Self::default()
    }

    /// Creates a guard with a condition.
    pub(in super::super) fn with_condition(condition: impl Into<String>) -> Self {
        Self {
            condition: Some(condition.into()),
            ..Self::default()
        }
    }

    /// Binds a value of the condition or of the update, such as `:run`.
    pub(in super::super) fn with_value(
        mut self,
        name: impl Into<String>,
        value: AttributeValue,
    ) -> Self {
        self.values.push((name.into(), value));
        self
    }

    /// Binds the name of an attribute, such as `#h`.
    pub(in super::super) fn with_name(
        mut self,
        placeholder: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        self.names.push((placeholder.into(), name.into()));
        self
    }

    pub(super) fn expression_values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.iter().cloned().collect())
    }

    pub(super) fn expression_names(&self) -> Option<HashMap<String, String>> {
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
    /// Deletes a row.
    Delete(Key, Guard),
    /// Changes nothing: it only checks its condition, in a transaction.
    Check(Key, Guard),
}

/// The outcome of a write.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum WriteOutcome {
    /// The write was made.
    Done,
    /// The condition does not hold. Holds the current row, if there is one.
    Refused(Option<Item>),
}

impl WriteOutcome {
    pub(in super::super) fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

/// The outcome of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum TransactOutcome {
    /// All writes were made.
    Done,
    /// No write was made. Holds, for each write whose condition does not hold, its current row.
    Refused(Vec<Option<Option<Item>>>),
}
