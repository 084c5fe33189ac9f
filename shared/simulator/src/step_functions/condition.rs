//! Conditions of choices.

use serde_json::{Map, Value};

use super::{
    path::{Context, Path},
    program::InvalidMachine,
};
use crate::task::TaskError;

/// A condition, parsed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Test {
        path: Path,
        text: String,
        test: Test,
    },
}

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Present(bool),
    Text(String),
    Truth(bool),
    Number(f64),
    NumberAbove(f64),
}

impl Condition {
    pub(super) fn parse(fields: &Map<String, Value>) -> Result<Self, InvalidMachine> {
        let unknown = || {
            let text = Value::Object(fields.clone());
            InvalidMachine::new(format!("the condition {text} is not known here"))
        };
        let all = |value: &Value| -> Result<Vec<Self>, InvalidMachine> {
            let list = value.as_array().ok_or_else(unknown)?;
            let one = |value: &Value| Self::parse(value.as_object().ok_or_else(unknown)?);
            list.iter().map(one).collect()
        };
        if let Some(list) = fields.get("And") {
            return Ok(Self::All(all(list)?));
        }
        if let Some(list) = fields.get("Or") {
            return Ok(Self::Any(all(list)?));
        }
        if let Some(inner) = fields.get("Not") {
            let inner = Self::parse(inner.as_object().ok_or_else(unknown)?)?;
            return Ok(Self::Not(Box::new(inner)));
        }
        let text = fields
            .get("Variable")
            .and_then(Value::as_str)
            .ok_or_else(unknown)?;
        let mut operators = fields.iter().filter(|(name, _)| *name != "Variable");
        let test = match operators.next().ok_or_else(unknown)? {
            (name, Value::Bool(value)) if name == "IsPresent" => Test::Present(*value),
            (name, Value::Bool(value)) if name == "BooleanEquals" => Test::Truth(*value),
            (name, Value::String(value)) if name == "StringEquals" => Test::Text(value.clone()),
            (name, Value::Number(value)) => {
                let value = value.as_f64().ok_or_else(unknown)?;
                match name.as_str() {
                    "NumericEquals" => Test::Number(value),
                    "NumericGreaterThan" => Test::NumberAbove(value),
                    _ => return Err(unknown()),
                }
            }
            _ => return Err(unknown()),
        };
        Ok(Self::Test {
            path: Path::parse(text)?,
            text: text.to_owned(),
            test,
        })
    }

    /// Returns whether the condition holds. `And` and `Or` evaluate no more than they need.
    ///
    /// # Errors
    /// `States.Runtime` for a path to a missing value.
    pub(super) fn holds(&self, data: &Value, context: &Context) -> Result<bool, TaskError> {
        match self {
            Self::All(all) => {
                for one in all {
                    if !one.holds(data, context)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(any) => {
                for one in any {
                    if one.holds(data, context)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(inner) => Ok(!inner.holds(data, context)?),
            Self::Test { path, text, test } => {
                let value = path.resolve(data, context);
                if let Test::Present(expected) = test {
                    return Ok(value.is_some() == *expected);
                }
                let value = value.ok_or_else(|| {
                    TaskError::new(
                        "States.Runtime",
                        format!("Invalid path '{text}': there is no such value in the input"),
                    )
                })?;
                // A value of another type equals nothing.
                Ok(match test {
                    Test::Present(_) => true,
                    Test::Text(expected) => value.as_str() == Some(expected),
                    Test::Truth(expected) => value.as_bool() == Some(*expected),
                    Test::Number(expected) => value.as_f64() == Some(*expected),
                    Test::NumberAbove(limit) => value.as_f64().is_some_and(|value| value > *limit),
                })
            }
        }
    }
}
