//! Cases that are answered differently on purpose: `tests/vectors/deviations.toml`.

use std::{collections::BTreeMap, fs, path::Path};

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The deviations that are documented.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deviations {
    #[serde(default)]
    deviation: Vec<Deviation>,
}

/// One deviation: either one case by `id`, or by rule all cases whose fields have the values in
/// `fields` (a dotted path such as `policy.type` reaches inside). Instead of a value, a table compares:
/// `{ above = 0 }` a number, `{ from = "current_time_utc" }` and `{ until = .. }` a date or time with
/// another field's, each to the length of the shorter, `{ given = true }` whether there is a value at all.
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
        fields.iter().all(|(path, wanted)| match wanted {
            Value::Object(comparisons) => compares(field(case, path), comparisons, case),
            wanted => field(case, path) == wanted,
        })
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

/// The value at a dotted path, in which a number is a place in a list.
fn field<'a>(case: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .fold(case, |value, part| match part.parse::<usize>() {
            Ok(place) if value.is_array() => &value[place],
            _ => &value[part],
        })
}

/// Whether a value satisfies all comparisons.
///
/// # Panics
/// When a comparison is unknown.
fn compares(value: &Value, comparisons: &Map<String, Value>, case: &Value) -> bool {
    // Keys and moments that begin with a date sort as texts, whatever stands between date and time.
    let date_first = |value: &Value| {
        let text = value.as_str()?.replace('T', "-");
        NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
        Some(text)
    };
    let order = |other: &Value| {
        let (text, other) = (
            date_first(value)?,
            date_first(field(case, other.as_str()?))?,
        );
        let length = text.len().min(other.len());
        Some(text.get(..length)?.cmp(other.get(..length)?))
    };
    comparisons.iter().all(|(name, than)| match name.as_str() {
        "above" => value.as_i64() > than.as_i64(),
        "from" => order(than).is_some_and(std::cmp::Ordering::is_ge),
        "until" => order(than).is_some_and(std::cmp::Ordering::is_le),
        "given" => {
            let empty = value.as_array().is_some_and(Vec::is_empty);
            (!value.is_null() && !empty) == (*than == true)
        }
        other => panic!("a deviation compares by `{other}`: write above, from, until or given"),
    })
}
