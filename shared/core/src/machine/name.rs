//! [`StepName`]: the names of stages and steps.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

/// The name of a stage or a step in a machine: a letter or `_`, then letters, digits and `_`, at
/// most [`Self::MAX_CHARS`] in all. It is valid in a path (`$.stages.daily_flights`) and as the
/// label of a Map Run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepName(String);

impl StepName {
    /// The longest name, in characters: the limit of Step Functions for the label of a Map Run.
    pub const MAX_CHARS: usize = 40;

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for StepName {
    fn from(name: String) -> Self {
        Self(name)
    }
}

/// A source of unique names.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// Returns a unique name that is as close to `title` as possible.
    pub(super) fn unique_name(&mut self, title: &str) -> StepName {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let mut base: String = title.chars().map(plain).collect();
        if !base.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            base.insert(0, '_');
        }
        base.truncate(StepName::MAX_CHARS);
        // Repeated names get a number, within the same length.
        let mut name = base.clone();
        let mut count = 1;
        while !self.0.insert(name.clone()) {
            count += 1;
            let suffix = format!("_{count}");
            name = base.clone();
            name.truncate(StepName::MAX_CHARS - suffix.len());
            name.push_str(&suffix);
        }
        StepName(name)
    }
}
