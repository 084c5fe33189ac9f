//! [`Placeholders`]: the names and values that the expressions of a request use.

use std::{cell::RefCell, collections::BTreeMap, collections::BTreeSet};

use serde_json::Value as Json;

use crate::dynamo::{
    error::Failure,
    value::{Attributes, Value, attributes_from_json},
};

/// The longest placeholder, in bytes.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LONGEST: usize = 255;

/// The names and values that the expressions of a request use. Each must be used.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    names: BTreeMap<String, String>,
    values: Attributes,
    used: RefCell<BTreeSet<String>>,
}

fn check_placeholder(parameter: &str, placeholder: &str, sign: char) -> Result<(), Failure> {
    let rest = placeholder.strip_prefix(sign).unwrap_or_default();
    let fits = placeholder.len() <= LONGEST && !rest.is_empty();
    if fits
        && rest
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
    {
        return Ok(());
    }
    Err(Failure::validation(format!(
        "{parameter} contains invalid key: Syntax error; key: \"{placeholder}\""
    )))
}

impl Placeholders {
    /// Reads `ExpressionAttributeNames` and `ExpressionAttributeValues`.
    pub(crate) fn from_json(
        names: Option<&Json>,
        values: Option<&Json>,
        has_expression: bool,
    ) -> Result<Self, Failure> {
        for (parameter, given) in [
            ("ExpressionAttributeNames", names),
            ("ExpressionAttributeValues", values),
        ] {
            let Some(given) = given else { continue };
            if !has_expression {
                return Err(Failure::validation(format!(
                    "{parameter} can only be specified when using expressions"
                )));
            }
            if given.as_object().is_none_or(serde_json::Map::is_empty) {
                return Err(Failure::validation(format!(
                    "{parameter} must not be empty"
                )));
            }
        }
        let mut placeholders = Self::default();
        for (placeholder, name) in names.and_then(Json::as_object).into_iter().flatten() {
            check_placeholder("ExpressionAttributeNames", placeholder, '#')?;
            let name = name.as_str().unwrap_or_default();
            if name.is_empty() {
                return Err(Failure::validation(
                    "ExpressionAttributeNames contains an empty attribute name",
                ));
            }
            placeholders
                .names
                .insert(placeholder.clone(), name.to_owned());
        }
        if let Some(values) = values {
            placeholders.values = attributes_from_json(values, 1)?;
            for placeholder in placeholders.values.keys() {
                check_placeholder("ExpressionAttributeValues", placeholder, ':')?;
            }
        }
        Ok(placeholders)
    }

    /// Returns the name of a placeholder.
    pub(super) fn name(&self, placeholder: &str) -> Result<String, Failure> {
        self.used.borrow_mut().insert(placeholder.to_owned());
        self.names.get(placeholder).cloned().ok_or_else(|| {
            Failure::validation(format!(
                "An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
            ))
        })
    }

    /// Returns the value of a placeholder.
    pub(super) fn value(&self, placeholder: &str) -> Result<Value, Failure> {
        self.used.borrow_mut().insert(placeholder.to_owned());
        self.values.get(placeholder).cloned().ok_or_else(|| {
            Failure::validation(format!(
                "An expression attribute value used in expression is not defined; attribute value: {placeholder}"
            ))
        })
    }

    /// Refuses placeholders that no expression uses.
    pub(crate) fn check_all_used(&self) -> Result<(), Failure> {
        let used = self.used.borrow();
        let unused = |all: Vec<&String>| {
            let unused: Vec<_> = all
                .into_iter()
                .filter(|name| !used.contains(*name))
                .cloned()
                .collect();
            (!unused.is_empty()).then(|| unused.join(", "))
        };
        for (parameter, unused) in [
            (
                "ExpressionAttributeNames",
                unused(self.names.keys().collect()),
            ),
            (
                "ExpressionAttributeValues",
                unused(self.values.keys().collect()),
            ),
        ] {
            if let Some(unused) = unused {
                return Err(Failure::validation(format!(
                    "Value provided in {parameter} unused in expressions: keys: {{{unused}}}"
                )));
            }
        }
        Ok(())
    }
}
