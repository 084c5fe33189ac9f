//! Payload templates: values with paths and intrinsic functions in them.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    path::{Context, Path},
    program::InvalidMachine,
};
use crate::task::TaskError;

/// A template, with everything parsed that can be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Template {
    /// A value without any path.
    Fixed(Value),
    /// The value at a path.
    Path(Path, String),
    /// `States.Format`: text with the values of arguments in place of `{}`.
    Format(Vec<String>, Vec<Template>),
    /// An object.
    Object(Vec<(String, Template)>),
    /// A list.
    List(Vec<Template>),
}

impl Template {
    /// Parses a template. Placeholders `${..}` get their values.
    pub(super) fn parse(
        value: &Value,
        substitutions: &BTreeMap<String, String>,
    ) -> Result<Self, InvalidMachine> {
        match value {
            Value::Object(fields) => {
                let mut parsed = Vec::with_capacity(fields.len());
                for (key, value) in fields {
                    let field = match (key.strip_suffix(".$"), value) {
                        (Some(name), Value::String(text)) => {
                            (name.to_owned(), Self::parse_expression(text)?)
                        }
                        (Some(_), _) => {
                            return Err(InvalidMachine::new(format!("`{key}` has no path")));
                        }
                        (None, value) => (key.clone(), Self::parse(value, substitutions)?),
                    };
                    parsed.push(field);
                }
                // Objects without any path are values.
                if parsed
                    .iter()
                    .all(|(_, field)| matches!(field, Self::Fixed(_)))
                {
                    let fixed = parsed.into_iter().filter_map(|(name, field)| match field {
                        Self::Fixed(value) => Some((name, value)),
                        _ => None,
                    });
                    return Ok(Self::Fixed(Value::Object(fixed.collect())));
                }
                Ok(Self::Object(parsed))
            }
            Value::Array(items) => {
                let items = items.iter().map(|item| Self::parse(item, substitutions));
                Ok(Self::List(items.collect::<Result<_, _>>()?))
            }
            Value::String(text) => Ok(Self::Fixed(substitute(text, substitutions).into())),
            other => Ok(Self::Fixed(other.clone())),
        }
    }

    fn parse_expression(text: &str) -> Result<Self, InvalidMachine> {
        if text.starts_with('$') {
            return Ok(Self::Path(Path::parse(text)?, text.to_owned()));
        }
        let unknown = || {
            InvalidMachine::new(format!(
                "`{text}` is neither a path nor a function that is known here"
            ))
        };
        let inside = text
            .strip_prefix("States.Format(")
            .and_then(|rest| rest.strip_suffix(')'))
            .ok_or_else(unknown)?;
        let mut arguments = split_arguments(inside).into_iter();
        let format = arguments.next().ok_or_else(unknown)?;
        let format = format
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''))
            .ok_or_else(unknown)?;
        let pieces = format.split("{}").map(str::to_owned).collect();
        let arguments = arguments
            .map(|argument| match argument.strip_prefix('\'') {
                Some(rest) => Ok(Self::Fixed(rest.trim_end_matches('\'').into())),
                None => Self::parse_expression(argument),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self::Format(pieces, arguments))
    }

    /// Returns the template's value.
    ///
    /// # Errors
    /// `States.ParameterPathFailure` for a path to a missing value, `States.IntrinsicFailure` for a
    /// function that fails.
    pub(super) fn fill(&self, data: &Value, context: &Context) -> Result<Value, TaskError> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Path(path, text) => match path.resolve(data, context) {
                Some(value) => Ok(value.into_owned()),
                None => Err(TaskError::new(
                    "States.ParameterPathFailure",
                    format!("The JSONPath '{text}' could not be found in the input"),
                )),
            },
            Self::Object(fields) => {
                let mut filled = Map::with_capacity(fields.len());
                for (name, field) in fields {
                    filled.insert(name.clone(), field.fill(data, context)?);
                }
                Ok(Value::Object(filled))
            }
            Self::List(items) => items.iter().map(|item| item.fill(data, context)).collect(),
            Self::Format(pieces, arguments) => {
                let mut text = String::new();
                let mut arguments = arguments.iter();
                for (number, piece) in pieces.iter().enumerate() {
                    if number > 0 {
                        let argument = arguments.next().ok_or_else(|| {
                            TaskError::new(
                                "States.IntrinsicFailure",
                                "too few arguments of States.Format",
                            )
                        })?;
                        match argument.fill(data, context)? {
                            Value::String(value) => text.push_str(&value),
                            value @ (Value::Null | Value::Bool(_) | Value::Number(_)) => {
                                text.push_str(&value.to_string());
                            }
                            _ => {
                                return Err(TaskError::new(
                                    "States.IntrinsicFailure",
                                    "an argument of States.Format is an object or a list",
                                ));
                            }
                        }
                    }
                    text.push_str(piece);
                }
                Ok(text.into())
            }
        }
    }
}

/// Splits arguments at commas outside of quotes.
fn split_arguments(text: &str) -> Vec<&str> {
    let (mut arguments, mut start, mut quoted) = (Vec::new(), 0, false);
    for (place, found) in text.char_indices() {
        match found {
            '\'' => quoted = !quoted,
            ',' if !quoted => {
                arguments.push(text[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    arguments.push(text[start..].trim());
    arguments
}

/// Replaces placeholders that have a value. Of a text that is nothing but a placeholder without a value,
/// the name stays.
fn substitute(text: &str, substitutions: &BTreeMap<String, String>) -> String {
    if let Some(name) = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
    {
        return substitutions
            .get(name)
            .map_or(name, String::as_str)
            .to_owned();
    }
    text.to_owned()
}
