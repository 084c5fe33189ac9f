//! [`KeyCondition`]: the rows of a query.

use super::{
    Kind,
    condition::{Comparator, Condition, Operand},
    path::Path,
};
use crate::dynamo::{
    error::Failure,
    table::{PARTITION_KEY, SORT_KEY},
    value::Value,
};

/// The condition of the sort key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SortCondition {
    Any,
    Compare(Comparator, String),
    Between(String, String),
    BeginsWith(String),
}

impl SortCondition {
    /// Returns `true` if the condition holds of a sort key.
    pub(crate) fn holds(&self, key: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Compare(Comparator::Equal, value) => key == value,
            Self::Compare(Comparator::Unequal, value) => key != value,
            Self::Compare(Comparator::Less, value) => key < value.as_str(),
            Self::Compare(Comparator::AtMost, value) => key <= value.as_str(),
            Self::Compare(Comparator::Greater, value) => key > value.as_str(),
            Self::Compare(Comparator::AtLeast, value) => key >= value.as_str(),
            Self::Between(low, high) => low.as_str() <= key && key <= high.as_str(),
            Self::BeginsWith(prefix) => key.starts_with(prefix),
        }
    }
}

/// The rows of a query: those of one partition key, and a condition of their sort keys.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html>
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeyCondition {
    pub(crate) partition: String,
    pub(crate) sort: SortCondition,
}

fn key_value(name: &str, operand: Operand) -> Result<String, Failure> {
    let failure = |problem| {
        Failure::validation(format!(
            "One or more parameter values were invalid: {problem}"
        ))
    };
    match operand {
        Operand::Value(Value::Text(text)) if text.is_empty() => Err(Failure::validation(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
             contain an empty string value. Key: {name}"
        ))),
        Operand::Value(Value::Text(text)) => Ok(text),
        _ => Err(failure(
            "Condition parameter type does not match schema type",
        )),
    }
}

impl KeyCondition {
    pub(super) fn from_condition(condition: Condition) -> Result<Self, Failure> {
        let parts = match condition {
            Condition::And(one, two) => vec![*one, *two],
            one => vec![one],
        };
        let (mut partition, mut sort) = (None, None);
        for part in parts {
            let named = |path: &Path| path.as_attribute().map(str::to_owned);
            let (name, found) = match part {
                Condition::Compare(comparator, Operand::Path(path), operand)
                    if comparator != Comparator::Unequal =>
                {
                    let name = named(&path).unwrap_or_default();
                    let value = key_value(&name, operand)?;
                    (name, SortCondition::Compare(comparator, value))
                }
                Condition::Between(Operand::Path(path), [low, high]) => {
                    let name = named(&path).unwrap_or_default();
                    let (low, high) = (key_value(&name, low)?, key_value(&name, high)?);
                    (name, SortCondition::Between(low, high))
                }
                Condition::BeginsWith(path, prefix) => {
                    let name = named(&path).unwrap_or_default();
                    let prefix = key_value(&name, prefix)?;
                    (name, SortCondition::BeginsWith(prefix))
                }
                _ => {
                    return Err(Kind::KeyCondition
                        .failure("Invalid operator used in KeyConditionExpression"));
                }
            };
            match (name.as_str(), found) {
                (PARTITION_KEY, SortCondition::Compare(Comparator::Equal, value))
                    if partition.is_none() =>
                {
                    partition = Some(value);
                }
                (PARTITION_KEY, _) => {
                    return Err(Failure::validation("Query key condition not supported"));
                }
                (SORT_KEY, found) if sort.is_none() => sort = Some(found),
                _ => {
                    return Err(Failure::validation(format!(
                        "Query condition missed key schema element: {PARTITION_KEY}"
                    )));
                }
            }
        }
        let partition = partition.ok_or_else(|| {
            Failure::validation(format!(
                "Query condition missed key schema element: {PARTITION_KEY}"
            ))
        })?;
        Ok(Self {
            partition,
            sort: sort.unwrap_or(SortCondition::Any),
        })
    }
}
