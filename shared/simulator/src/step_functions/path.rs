//! Reference paths into the data of a state and into the context object.

use std::{borrow::Cow, rc::Rc};

use serde_json::Value;

use super::program::InvalidMachine;

/// A path such as `$.stages.flights.key` or `$$.Execution.Id`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Path {
    /// Into the data.
    Data(Vec<Segment>),
    /// Into the context object.
    Context(Vec<Segment>),
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Segment {
    /// A field of an object.
    Field(String),
    /// An element of a list.
    Index(usize),
}

/// The execution, as the context object holds it.
///
/// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>
#[derive(Debug)]
pub(super) struct ExecutionContext {
    pub id: String,
    pub name: String,
    pub redrive: u32,
    pub start: String,
    pub machine: String,
    /// The input; `None` in the children of a distributed map, which do not ask for it.
    pub input: Option<Rc<Value>>,
}

/// The context object in a state.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub execution: Rc<ExecutionContext>,
    /// The retries of the current state.
    pub retries: u32,
    /// The item of the innermost map, and its index.
    pub item: Option<(usize, Rc<Value>)>,
}

impl Path {
    /// Parses a path.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidMachine> {
        let invalid = || InvalidMachine::new(format!("`{text}` is not a path that is known here"));
        let (context, rest) = match text.strip_prefix("$$") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('$').ok_or_else(invalid)?),
        };
        let mut segments = Vec::new();
        let mut rest = rest;
        while !rest.is_empty() {
            if let Some(field) = rest.strip_prefix('.') {
                let end = field.find(['.', '[']).unwrap_or(field.len());
                let name = &field[..end];
                if name.is_empty() || name.contains(['*', '?', '@', ' ', '(', '\'']) {
                    return Err(invalid());
                }
                segments.push(Segment::Field(name.to_owned()));
                rest = &field[end..];
            } else if let Some(inside) = rest.strip_prefix('[') {
                let (inside, after) = inside.split_once(']').ok_or_else(invalid)?;
                let quoted = inside
                    .strip_prefix('\'')
                    .and_then(|name| name.strip_suffix('\''));
                segments.push(match quoted {
                    Some(name) => Segment::Field(name.to_owned()),
                    None => Segment::Index(inside.parse().map_err(|_| invalid())?),
                });
                rest = after;
            } else {
                return Err(invalid());
            }
        }
        Ok(if context {
            Self::Context(segments)
        } else {
            Self::Data(segments)
        })
    }

    /// Returns the value at this path, if there is one.
    pub(super) fn resolve<'a>(
        &self,
        data: &'a Value,
        context: &'a Context,
    ) -> Option<Cow<'a, Value>> {
        match self {
            Self::Data(segments) => follow(data, segments).map(Cow::Borrowed),
            Self::Context(segments) => context.resolve(segments),
        }
    }

    /// Returns a copy of the data with the value at this path replaced. Missing objects are added.
    ///
    /// `None` when the path leads through something that is no object.
    pub(super) fn insert(&self, data: &Value, value: Value) -> Option<Value> {
        let Self::Data(segments) = self else {
            return None;
        };
        let mut output = data.clone();
        let mut place = &mut output;
        for segment in segments {
            place = match segment {
                Segment::Field(name) => {
                    if place.is_null() {
                        *place = Value::Object(serde_json::Map::new());
                    }
                    place
                        .as_object_mut()?
                        .entry(name.as_str())
                        .or_insert(Value::Null)
                }
                Segment::Index(index) => place.get_mut(*index)?,
            };
        }
        *place = value;
        Some(output)
    }
}

impl Context {
    fn resolve(&self, segments: &[Segment]) -> Option<Cow<'_, Value>> {
        let mut names = segments.iter().map(|segment| match segment {
            Segment::Field(name) => name.as_str(),
            Segment::Index(_) => "",
        });
        let first = [
            names.next()?,
            names.next()?,
            names.next().unwrap_or_default(),
        ];
        let execution = &self.execution;
        let text = |text: &str| Some(Cow::Owned(Value::from(text)));
        match first {
            ["Execution", "Id", _] => text(&execution.id),
            ["Execution", "Input", _] => {
                follow(execution.input.as_deref()?, segments.get(2..)?).map(Cow::Borrowed)
            }
            ["Execution", "Name", _] => text(&execution.name),
            ["Execution", "StartTime", _] => text(&execution.start),
            ["Execution", "RedriveCount", _] => Some(Cow::Owned(execution.redrive.into())),
            ["StateMachine", "Id", _] => text(&execution.machine),
            ["State", "RetryCount", _] => Some(Cow::Owned(self.retries.into())),
            ["Map", "Item", "Index"] => Some(Cow::Owned(self.item.as_ref()?.0.into())),
            ["Map", "Item", "Value"] => {
                let (_, value) = self.item.as_ref()?;
                follow(value, segments.get(3..)?).map(Cow::Borrowed)
            }
            _ => None,
        }
    }
}

fn follow<'a>(value: &'a Value, segments: &[Segment]) -> Option<&'a Value> {
    segments
        .iter()
        .try_fold(value, |value, segment| match segment {
            Segment::Field(name) => value.get(name.as_str()),
            Segment::Index(index) => value.get(*index),
        })
}
