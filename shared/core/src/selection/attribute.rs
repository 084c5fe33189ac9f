//! The attributes that assets can be selected by.

use crate::nearest::nearest_names;

/// An attribute of assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Key,
    Group,
    Tag,
    Owner,
    Kind,
    Is,
    Partitions,
    /// An attribute of Dagster's language that declarations do not answer: it depends on runs,
    /// deployments or a user interface.
    Unsupported {
        name: &'static str,
        instead: &'static str,
    },
}

const STATE: &str = "a selection depends on declarations, not on runs: select by a declared \
                     attribute, and use `missing` or `failed` to choose partitions";
const METADATA: &str = "columns and tables are metadata, not labels: add a tag to the assets and \
                        select by `tag:`";
const LOCATION: &str = "a project is one code location: leave this out";
const LAUNCHER: &str = "add a tag or a group to the assets of the schedule, sensor or job, and \
                        select by that";

/// The supported attributes, as they are written.
pub(super) const SUPPORTED: [&str; 7] = [
    "key:",
    "group:",
    "tag:",
    "owner:",
    "kind:",
    "is:",
    "partitions:",
];

const ATTRIBUTES: [(&str, Attribute); 17] = [
    ("key", Attribute::Key),
    ("group", Attribute::Group),
    ("tag", Attribute::Tag),
    ("owner", Attribute::Owner),
    ("kind", Attribute::Kind),
    ("is", Attribute::Is),
    ("partitions", Attribute::Partitions),
    ("status", unsupported_attribute("status", STATE)),
    (
        "changed_in_branch",
        unsupported_attribute("changed_in_branch", STATE),
    ),
    (
        "automation_type",
        unsupported_attribute("automation_type", LAUNCHER),
    ),
    ("sensor", unsupported_attribute("sensor", LAUNCHER)),
    ("schedule", unsupported_attribute("schedule", LAUNCHER)),
    ("job", unsupported_attribute("job", LAUNCHER)),
    ("column", unsupported_attribute("column", METADATA)),
    ("column_tag", unsupported_attribute("column_tag", METADATA)),
    ("table_name", unsupported_attribute("table_name", METADATA)),
    (
        "code_location",
        unsupported_attribute("code_location", LOCATION),
    ),
];

const fn unsupported_attribute(name: &'static str, instead: &'static str) -> Attribute {
    Attribute::Unsupported { name, instead }
}

impl Attribute {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        ATTRIBUTES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, attribute)| *attribute)
    }
}

/// Returns the attribute that a word probably means.
pub(super) fn guess_attribute(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "asset" | "assets" | "name" => Some("key"),
        "team" => Some("owner"),
        _ => nearest_names(&lower, ATTRIBUTES.iter().map(|(known, _)| *known))
            .first()
            .copied(),
    }
}

/// Returns true for words of the language, which must be quoted as a key.
pub(super) fn is_reserved(word: &str) -> bool {
    matches!(word, "roots" | "sinks") || Attribute::from_name(word).is_some()
}

/// Returns true for words of the language that must be quoted as a value of any other attribute.
pub(super) fn is_reserved_as_value(word: &str) -> bool {
    is_reserved(word) && !matches!(word, "sensor" | "schedule" | "job")
}
