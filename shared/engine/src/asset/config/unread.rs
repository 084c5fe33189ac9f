//! [`find_unread_field`]: unknown fields in values that serde buffers.

use std::{fmt::Write, ptr};

use precip_core::{nearest::nearest_names, prose::suggest};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    InvalidConfig, ShowFn,
    reader::{ConfigReader, ReadNotes, unknown_field_reason},
};

/// Finds an entry of an object that the type passes over, among `entries`.
///
/// Serde buffers the values of structs with `#[serde(flatten)]` and of tagged and untagged enums, so a deserializer
/// cannot observe which of their entries are used. Instead it is tried: an entry is unread when the type reads equal
/// values from the config as it was given, from the config without the entry, and from the config in which the entry is
/// a value that no type can read.
pub(super) fn find_unread_field<T: DeserializeOwned>(
    config: &Value,
    entries: &[&Value],
    schema: Option<&Value>,
    show: Option<ShowFn<T>>,
) -> Option<InvalidConfig> {
    if entries.is_empty() {
        return None;
    }
    let trial = Trial::new(config, show);
    let unread = trial.find_unread_entry(entries)?;
    let names = known_names(config, schema, show);
    let Some(Step::Key(wanted)) = unread.last() else {
        return None;
    };
    let near = nearest_names(wanted, names.iter().map(String::as_str));
    let near: Vec<&str> = near
        .into_iter()
        .filter(|name| trial.reads_name(&unread, name))
        .collect();
    let mut reason = unknown_field_reason(suggest(&near), &[]);
    if show.is_none() {
        // The values could not be compared, so that only types that refuse the entry count as reading it.
        reason.push_str(", or derive `Debug` for its type if it does read the field");
    }
    Some(InvalidConfig {
        path: path_text(&unread),
        reason,
    })
}

/// A step from a value to a value that it contains.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Finds the way from a value to a value within it, by its address.
fn find_path<'a>(from: &'a Value, target: &Value, path: &mut Vec<Step<'a>>) -> bool {
    if ptr::eq(from, target) {
        return true;
    }
    let mut find_within = |step, value| {
        path.push(step);
        let found = find_path(value, target, path);
        if !found {
            path.pop();
        }
        found
    };
    match from {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .any(|(index, item)| find_within(Step::Index(index), item)),
        Value::Object(object) => object
            .iter()
            .any(|(key, value)| find_within(Step::Key(key), value)),
        _ => false,
    }
}

/// Writes a path like `sources[0].filter.limt`.
fn path_text(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        let written = match step {
            Step::Index(index) => write!(text, "[{index}]"),
            Step::Key(key) if text.is_empty() => write!(text, "{key}"),
            Step::Key(key) => write!(text, ".{key}"),
        };
        debug_assert!(written.is_ok(), "text can always be written to");
    }
    text
}

/// Writes a path as a JSON pointer (RFC 6901).
fn pointer_text(path: &[Step<'_>]) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Index(index) => format!("/{index}"),
        Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
    });
    steps.collect()
}

/// Returns the config without the entry at a path, and with its value under another name if one is given.
fn with_entry_renamed(config: &Value, path: &[Step<'_>], name: Option<&str>) -> Option<Value> {
    let mut changed = config.clone();
    let (Step::Key(key), parents) = path.split_last()? else {
        return None;
    };
    let object = changed
        .pointer_mut(&pointer_text(parents))?
        .as_object_mut()?;
    let value = object.shift_remove(*key)?;
    if let Some(name) = name {
        if object.contains_key(name) {
            return None;
        }
        object.insert(name.to_owned(), value);
    }
    Some(changed)
}

fn without_entry(config: &Value, path: &[Step<'_>]) -> Value {
    with_entry_renamed(config, path, None).unwrap_or_default()
}

/// Reads variations of a config, and compares the values.
struct Trial<'a, T> {
    config: &'a Value,
    show: Option<ShowFn<T>>,
    given: Reading,
}

/// What a reading gave: `None` for an error, otherwise the value's text, if the type has one.
type Reading = Option<Option<Vec<u8>>>;

impl<'a, T: DeserializeOwned> Trial<'a, T> {
    fn new(config: &'a Value, show: Option<ShowFn<T>>) -> Self {
        let given = read_once(config, None, show);
        // A text that differs from reading to reading, such as one with the current time, cannot be compared.
        let show = show.filter(|_| read_once(config, None, show) == given);
        Self {
            config,
            show,
            given: read_once(config, None, show),
        }
    }

    /// Returns the path of the first entry that is unread. `entries` has each entry before those within its value.
    fn find_unread_entry(&self, entries: &[&Value]) -> Option<Vec<Step<'a>>> {
        // Entries of which only the key is read, as in a map of `IgnoredAny`: nothing within them can be unknown.
        let mut only_keys: Vec<&Value> = Vec::new();
        for entry in entries {
            let lies_within = |outer: &&Value| find_path(outer, entry, &mut Vec::new());
            // Replacing comes first, because it fails early for an entry that is read.
            if only_keys.iter().any(lies_within) || !self.changes_nothing(self.config, Some(entry))
            {
                continue;
            }
            let mut path = Vec::new();
            find_path(self.config, entry, &mut path);
            if self.changes_nothing(&without_entry(self.config, &path), None) {
                return Some(path);
            }
            only_keys.push(entry);
        }
        None
    }

    /// Returns `true` if the type reads from a changed config what it reads from the given one.
    fn changes_nothing(&self, changed: &Value, replaced: Option<&Value>) -> bool {
        read_once(changed, replaced, self.show) == self.given
    }

    /// Returns `true` if the type reads the entry at a path once the entry has another name.
    fn reads_name(&self, path: &[Step<'_>], name: &str) -> bool {
        let Some(renamed) = with_entry_renamed(self.config, path, Some(name)) else {
            return false;
        };
        let mut path = path.to_vec();
        path.pop();
        path.push(Step::Key(name));
        let entry = renamed.pointer(&pointer_text(&path));
        !self.changes_nothing(&renamed, None) || !self.changes_nothing(&renamed, entry)
    }
}

fn read_once<T: DeserializeOwned>(
    config: &Value,
    replaced: Option<&Value>,
    show: Option<ShowFn<T>>,
) -> Reading {
    let notes = ReadNotes {
        replaced,
        ..ReadNotes::default()
    };
    let value = T::deserialize(ConfigReader::new(config, &notes)).ok()?;
    Some(show.map(|show| {
        // Sorted, since a `HashMap` shows its entries in another order each time.
        let mut text = show(&value).into_bytes();
        text.sort_unstable();
        text
    }))
}

/// Returns names that fields of the type may have: those of its schema, and those that its text shows as `name: `.
fn known_names<T: DeserializeOwned>(
    config: &Value,
    schema: Option<&Value>,
    show: Option<ShowFn<T>>,
) -> Vec<String> {
    let mut names = Vec::new();
    collect_properties(schema.unwrap_or(&Value::Null), &mut names);
    let notes = ReadNotes::default();
    let value = T::deserialize(ConfigReader::new(config, &notes)).ok();
    if let (Some(value), Some(show)) = (value, show) {
        let text = show(&value);
        let before_colon = text.split(": ").filter_map(|part| {
            let part = part.trim_end();
            part.rsplit(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
        });
        names.extend(before_colon.map(str::to_owned));
    }
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    names
}

/// Collects the names of all properties in a JSON schema.
fn collect_properties(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                names.extend(properties.keys().cloned());
            }
            object
                .values()
                .for_each(|value| collect_properties(value, names));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| collect_properties(value, names)),
        _ => {}
    }
}
