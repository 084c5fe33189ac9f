//! [`Path`]: the place of a value in an item.

use std::fmt;

use super::Kind;
use crate::dynamo::{
    error::Failure,
    value::{Attributes, Value},
};

/// A step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// An attribute, or an entry of a map.
    Name(String),
    /// An element of a list.
    Index(usize),
}

/// The place of a value in an item. The first step is a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(pub(super) Vec<Step>);

impl Path {
    /// Returns the name of the attribute.
    pub(crate) fn attribute(&self) -> &str {
        match self.0.first() {
            Some(Step::Name(name)) => name,
            _ => "",
        }
    }

    /// Returns the name of the attribute if the path is one.
    pub(crate) fn as_attribute(&self) -> Option<&str> {
        (self.0.len() == 1).then(|| self.attribute())
    }

    /// Returns the value at the path.
    pub(crate) fn find<'a>(&self, item: &'a Attributes) -> Option<&'a Value> {
        let mut found = item.get(self.attribute())?;
        for step in &self.0[1..] {
            found = match (step, found) {
                (Step::Name(name), Value::Map(entries)) => entries.get(name)?,
                (Step::Index(index), Value::List(values)) => values.get(*index)?,
                _ => return None,
            };
        }
        Some(found)
    }

    /// Sets the value at the path.
    ///
    /// # Errors
    /// When the map or list that it is in does not exist.
    pub(super) fn set(&self, item: &mut Attributes, value: Value) -> Result<(), Failure> {
        let Some((last, before)) = self.0.split_last() else {
            return Err(invalid_path());
        };
        match (last, Self::parent(before, item)) {
            (Step::Name(name), Some(Parent::Map(entries))) => {
                entries.insert(name.clone(), value);
            }
            (Step::Index(index), Some(Parent::List(values))) => match values.get_mut(*index) {
                Some(element) => *element = value,
                // An index past the end adds to the list.
                None => values.push(value),
            },
            _ => return Err(invalid_path()),
        }
        Ok(())
    }

    /// Removes the value at the path. One that does not exist is no error, if the map or list that it is
    /// in exists.
    ///
    /// # Errors
    /// When the map or list does not exist.
    pub(super) fn remove(&self, item: &mut Attributes) -> Result<(), Failure> {
        let Some((last, before)) = self.0.split_last() else {
            return Err(invalid_path());
        };
        match (last, Self::parent(before, item)) {
            (Step::Name(name), Some(Parent::Map(entries))) => {
                entries.remove(name);
            }
            (Step::Index(index), Some(Parent::List(values))) => {
                if *index < values.len() {
                    values.remove(*index);
                }
            }
            _ => return Err(invalid_path()),
        }
        Ok(())
    }

    fn parent<'a>(steps: &[Step], item: &'a mut Attributes) -> Option<Parent<'a>> {
        let mut parent = Parent::Map(item);
        for step in steps {
            let value = match (step, parent) {
                (Step::Name(name), Parent::Map(entries)) => entries.get_mut(name)?,
                (Step::Index(index), Parent::List(values)) => values.get_mut(*index)?,
                _ => return None,
            };
            parent = match value {
                Value::Map(entries) => Parent::Map(entries),
                Value::List(values) => Parent::List(values),
                _ => return None,
            };
        }
        Some(parent)
    }
}

enum Parent<'a> {
    Map(&'a mut Attributes),
    List(&'a mut Vec<Value>),
}

fn invalid_path() -> Failure {
    Failure::validation("The document path provided in the update expression is invalid for update")
}

/// Refuses paths of which one contains another, or that differ in the kind of a step.
pub(super) fn check_overlaps(kind: Kind, paths: &[&Path]) -> Result<(), Failure> {
    for (index, one) in paths.iter().enumerate() {
        for two in &paths[index + 1..] {
            if one.0.iter().zip(&two.0).all(|(one, two)| one == two) {
                return Err(kind.failure(format!(
                    "Two document paths overlap with each other; must remove or rewrite one of these \
                     paths; path one: [{one}], path two: [{two}]"
                )));
            }
        }
    }
    Ok(())
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match step {
                Step::Name(name) => f.write_str(name)?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
