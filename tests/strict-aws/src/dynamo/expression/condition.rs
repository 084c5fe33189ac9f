//! [`Condition`]: what must hold of an item.

use super::{Kind, path::Path};
use crate::dynamo::{
    error::Failure,
    number::Number,
    value::{Attributes, Value},
};

/// A comparator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Comparator {
    pub(super) fn from_sign(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" => Self::Equal,
            "<>" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::Greater,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }

    fn is_about_order(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Path(Path),
    Value(Value),
    Size(Path),
}

impl Operand {
    fn find(&self, item: &Attributes) -> Option<Value> {
        match self {
            Self::Path(path) => path.find(item).cloned(),
            Self::Value(value) => Some(value.clone()),
            Self::Size(path) => {
                let size = match path.find(item)? {
                    Value::Text(text) => text.len(),
                    Value::Bytes(bytes) => bytes.len(),
                    Value::Map(entries) => entries.len(),
                    Value::List(values) => values.len(),
                    // The condition does not hold for values without a size.
                    Value::Number(_) | Value::Bool(_) | Value::Null => return None,
                };
                Number::parse(&size.to_string()).ok().map(Value::Number)
            }
        }
    }
}

/// What must hold of an item.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(Comparator, Operand, Operand),
    Between(Operand, [Operand; 2]),
    In(Operand, Vec<Operand>),
    Exists(Path),
    Missing(Path),
    HasType(Path, String),
    BeginsWith(Path, Operand),
    Contains(Path, Operand),
}

/// The descriptors of types.
const TYPES: [&str; 10] = ["S", "SS", "N", "NS", "B", "BS", "BOOL", "NULL", "L", "M"];

impl Condition {
    /// Refuses operands that an operator never takes, and two operands that are the same.
    pub(super) fn check(&self, kind: Kind) -> Result<(), Failure> {
        let wrong_type = |operator: &str, value: &Value| {
            kind.failure(format!(
                "Incorrect operand type for operator or function; operator or function: {operator}, \
                 operand type: {}",
                value.kind()
            ))
        };
        let check_order = |operator: &str, operand: &Operand| match operand {
            Operand::Value(
                value @ (Value::Map(_) | Value::List(_) | Value::Bool(_) | Value::Null),
            ) => Err(wrong_type(operator, value)),
            _ => Ok(()),
        };
        match self {
            Self::Compare(comparator, left, right) => {
                if left == right {
                    return Err(kind.failure(
                        "The first operand must be distinct from the remaining operands for this \
                         operator or function",
                    ));
                }
                if comparator.is_about_order() {
                    check_order("comparator", left)?;
                    check_order("comparator", right)?;
                }
            }
            Self::Between(operand, [low, high]) => {
                for operand in [operand, low, high] {
                    check_order("BETWEEN", operand)?;
                }
                if let (Operand::Value(low), Operand::Value(high)) = (low, high)
                    && compare(Comparator::Greater, low, high)
                {
                    return Err(kind.failure(
                        "The BETWEEN operator requires upper bound to be greater than or equal to \
                         lower bound",
                    ));
                }
            }
            Self::BeginsWith(_, Operand::Value(value)) => {
                if !matches!(value, Value::Text(_) | Value::Bytes(_)) {
                    return Err(wrong_type("begins_with", value));
                }
            }
            Self::HasType(_, name) => {
                if !TYPES.contains(&name.as_str()) {
                    return Err(
                        kind.failure(format!("Invalid attribute type name found; type: {name}"))
                    );
                }
            }
            Self::And(..)
            | Self::Or(..)
            | Self::Not(_)
            | Self::In(..)
            | Self::Exists(_)
            | Self::Missing(_)
            | Self::BeginsWith(..)
            | Self::Contains(..) => {}
        }
        Ok(())
    }

    /// Returns `true` if the condition holds of an item. Of one that does not exist it is asked with no
    /// attributes.
    pub(crate) fn holds(&self, item: &Attributes) -> bool {
        match self {
            Self::And(one, two) => one.holds(item) && two.holds(item),
            Self::Or(one, two) => one.holds(item) || two.holds(item),
            Self::Not(inner) => !inner.holds(item),
            Self::Compare(comparator, left, right) => match (left.find(item), right.find(item)) {
                (Some(left), Some(right)) => compare(*comparator, &left, &right),
                // A missing value is unequal to every other.
                _ => *comparator == Comparator::Unequal,
            },
            Self::Between(operand, [low, high]) => {
                let found = [operand, low, high].map(|operand| operand.find(item));
                let [Some(value), Some(low), Some(high)] = found else {
                    return false;
                };
                compare(Comparator::AtLeast, &value, &low)
                    && compare(Comparator::AtMost, &value, &high)
            }
            Self::In(operand, operands) => operand.find(item).is_some_and(|value| {
                operands
                    .iter()
                    .any(|one| one.find(item).as_ref() == Some(&value))
            }),
            Self::Exists(path) => path.find(item).is_some(),
            Self::Missing(path) => path.find(item).is_none(),
            Self::HasType(path, kind) => path.find(item).is_some_and(|value| value.kind() == kind),
            Self::BeginsWith(path, prefix) => match (path.find(item), prefix.find(item)) {
                (Some(Value::Text(text)), Some(Value::Text(prefix))) => text.starts_with(&prefix),
                (Some(Value::Bytes(bytes)), Some(Value::Bytes(prefix))) => {
                    bytes.starts_with(&prefix)
                }
                _ => false,
            },
            Self::Contains(path, part) => match (path.find(item), part.find(item)) {
                (Some(Value::Text(text)), Some(Value::Text(part))) => text.contains(&part),
                (Some(Value::List(values)), Some(part)) => values.contains(&part),
                _ => false,
            },
        }
    }

    /// Returns the paths that the condition names.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        match self {
            Self::And(one, two) | Self::Or(one, two) => [one.paths(), two.paths()].concat(),
            Self::Not(inner) => inner.paths(),
            Self::Compare(_, left, right) => paths_of([left, right]),
            Self::Between(operand, [low, high]) => paths_of([operand, low, high]),
            Self::In(operand, operands) => paths_of(std::iter::once(operand).chain(operands)),
            Self::Exists(path) | Self::Missing(path) | Self::HasType(path, _) => vec![path],
            Self::BeginsWith(path, operand) | Self::Contains(path, operand) => {
                let mut paths = paths_of([operand]);
                paths.push(path);
                paths
            }
        }
    }
}

fn paths_of<'a>(operands: impl IntoIterator<Item = &'a Operand>) -> Vec<&'a Path> {
    let path = |operand: &'a Operand| match operand {
        Operand::Path(path) | Operand::Size(path) => Some(path),
        Operand::Value(_) => None,
    };
    operands.into_iter().filter_map(path).collect()
}

/// Compares two values. Values of different types are unequal and in no order.
fn compare(comparator: Comparator, left: &Value, right: &Value) -> bool {
    let order = match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        (Value::Number(left), Value::Number(right)) => Some(left.cmp(right)),
        (Value::Bytes(left), Value::Bytes(right)) => Some(left.cmp(right)),
        _ => None,
    };
    match comparator {
        Comparator::Equal => left == right,
        Comparator::Unequal => left != right,
        Comparator::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Comparator::AtMost => order.is_some_and(std::cmp::Ordering::is_le),
        Comparator::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        Comparator::AtLeast => order.is_some_and(std::cmp::Ordering::is_ge),
    }
}
