//! [`Update`]: the changes of an item.

use super::{
    Kind,
    path::{Path, check_overlaps},
};
use crate::dynamo::{
    error::Failure,
    value::{Attributes, Value},
};

/// The new value of a `SET` action, or a part of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    Path(Path),
    Value(Value),
    IfMissing(Path, Box<Source>),
    Sum(Box<Source>, Box<Source>),
    Difference(Box<Source>, Box<Source>),
}

impl Source {
    /// Returns the value, from the item as it was before the update.
    fn evaluate(&self, item: &Attributes) -> Result<Value, Failure> {
        match self {
            Self::Path(path) => path.find(item).cloned().ok_or_else(|| {
                Failure::validation(
                    "The provided expression refers to an attribute that does not exist in the item",
                )
            }),
            Self::Value(value) => Ok(value.clone()),
            Self::IfMissing(path, otherwise) => match path.find(item) {
                Some(value) => Ok(value.clone()),
                None => otherwise.evaluate(item),
            },
            Self::Sum(one, two) => add(one, two, false, item),
            Self::Difference(one, two) => add(one, two, true, item),
        }
    }
}

fn add(one: &Source, two: &Source, subtracts: bool, item: &Attributes) -> Result<Value, Failure> {
    let (Value::Number(one), Value::Number(two)) = (one.evaluate(item)?, two.evaluate(item)?)
    else {
        return Err(Failure::validation(
            "An operand in the update expression has an incorrect data type",
        ));
    };
    let sum = one.add(&two, subtracts);
    sum.map(Value::Number)
        .map_err(|error| Failure::validation(error.to_string()))
}

/// The changes of an item.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Update {
    pub(super) set: Vec<(Path, Source)>,
    pub(super) remove: Vec<Path>,
}

impl Update {
    /// Refuses changes of overlapping paths.
    pub(super) fn check_paths(&self) -> Result<(), Failure> {
        let paths: Vec<&Path> = self.changed_paths().collect();
        check_overlaps(Kind::Update, &paths)
    }

    /// Returns the paths that are changed.
    pub(crate) fn changed_paths(&self) -> impl Iterator<Item = &Path> {
        self.set.iter().map(|(path, _)| path).chain(&self.remove)
    }

    /// Returns `true` if the update removes attributes and sets none.
    pub(crate) fn only_removes(&self) -> bool {
        self.set.is_empty() && !self.remove.is_empty()
    }

    /// Applies the changes.
    pub(crate) fn apply(&self, item: &Attributes) -> Result<Attributes, Failure> {
        let mut changed = item.clone();
        // Every action sees the item as it was before.
        for (path, source) in &self.set {
            path.set(&mut changed, source.evaluate(item)?)?;
        }
        for path in &self.remove {
            path.remove(&mut changed)?;
        }
        Ok(changed)
    }
}
