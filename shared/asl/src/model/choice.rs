//! [`Choice`] states.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::StateName;

/// Goes to the state of the first rule that holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Choice {
    /// The decision, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The rules, in the order in which they are tried.
    pub choices: Vec<ChoiceRule>,
    /// The next state when no rule holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<StateName>,
}

/// One rule of a [`Choice`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChoiceRule {
    /// The condition that has to hold.
    #[serde(flatten)]
    pub condition: Comparison,
    /// The next state if it does.
    #[serde(rename = "Next")]
    pub next: StateName,
}

/// A comparison of a value in the input, such as
/// `{"Variable": "$.mode", "StringEquals": "inline"}`, or `And`, `Or`, `Not` of others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Comparison(pub Map<String, Value>);

impl Comparison {
    /// Holds if the value at a path is this string.
    pub fn string_equals(variable: &str, value: &str) -> Self {
        Self::compare_with(variable, "StringEquals", value.into())
    }

    /// Holds if the value at a path is this number.
    pub fn number_equals(variable: &str, value: i64) -> Self {
        Self::compare_with(variable, "NumericEquals", value.into())
    }

    /// Holds if the value at a path is a greater number.
    pub fn number_greater_than(variable: &str, value: i64) -> Self {
        Self::compare_with(variable, "NumericGreaterThan", value.into())
    }

    /// Holds if the value at a path is this truth value.
    pub fn boolean_equals(variable: &str, value: bool) -> Self {
        Self::compare_with(variable, "BooleanEquals", value.into())
    }

    /// Holds if there is a value at a path.
    pub fn is_present(variable: &str) -> Self {
        Self::compare_with(variable, "IsPresent", true.into())
    }

    /// Holds if all conditions hold. They are evaluated in order, up to the first that does not
    /// hold.
    pub fn all(conditions: Vec<Self>) -> Self {
        let nested = conditions
            .into_iter()
            .map(|condition| Value::Object(condition.0));
        Self(Map::from_iter([("And".to_owned(), nested.collect())]))
    }

    /// Returns a comparison of the value at a path.
    fn compare_with(variable: &str, operator: &str, value: Value) -> Self {
        Self(Map::from_iter([
            ("Variable".to_owned(), variable.into()),
            (operator.to_owned(), value),
        ]))
    }
}
