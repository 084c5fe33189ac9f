//! Cases that are answered differently on purpose: `tests/vectors/deviations.toml`.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

/// The deviations that are documented.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deviations {
    #[serde(default)]
    deviation: Vec<Deviation>,
}

/// One deviation: either one case by `id`, or by rule all cases whose fields have the values in
/// `fields` (a dotted path such as `policy.type` reaches inside).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deviation {
    /// The file that holds the cases.
    pub(crate) file: String,
    /// The one case.
    pub(crate) id: Option<String>,
    /// The rule.
    pub(crate) fields: Option<BTreeMap<String, Value>>,
    /// Why the answer differs.
    pub(crate) reason: String,
}

impl Deviations {
    /// Reads the list.
    ///
    /// # Panics
    /// When it is not there, not well formed, or an entry does not say which cases and why.
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        let read: Self = toml::from_str(&text)
            .unwrap_or_else(|error| panic!("{} is not well formed: {error}", path.display()));
        for entry in &read.deviation {
            assert!(
                entry.id.is_some() != entry.fields.is_some() && !entry.reason.trim().is_empty(),
                "a deviation of {} needs either `id` or `fields`, and a `reason`",
                entry.file
            );
        }
        read
    }

    /// Returns the entries for one file.
    pub(crate) fn of<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a Deviation> {
        self.deviation
            .iter()
            .filter(move |entry| entry.file == file)
    }
}

impl Deviation {
    /// Returns whether the entry covers a case.
    pub(crate) fn covers(&self, case: &Value) -> bool {
        if let Some(id) = &self.id {
            return case["id"] == id.as_str();
        }
        let Some(fields) = &self.fields else {
            return false;
        };
        fields
            .iter()
            .all(|(path, wanted)| path.split('.').fold(case, |value, part| &value[part]) == wanted)
    }

    /// Returns the name of the entry in a report.
    pub(crate) fn name(&self) -> String {
        match (&self.id, &self.fields) {
            (Some(id), _) => id.clone(),
            (None, Some(fields)) => format!("{fields:?}"),
            (None, None) => String::new(),
        }
    }
}
