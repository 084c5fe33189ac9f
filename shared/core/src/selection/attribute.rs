//! What stands before a `:`.

use crate::nearest::nearest;

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
    /// Part of Dagster's language, and answered only where runs, deployments or a user interface are
    /// known. What is declared does not answer it.
    Unsupported {
        name: &'static str,
        instead: &'static str,
    },
}

const STATE: &str = "a selection knows what is declared, not what has run: select by what is \
                     declared, and say `missing` or `failed` where partitions are chosen";
const METADATA: &str = "columns and tables are metadata, not labels: put a tag on the assets and \
                        select by `tag:`";
const PLACE: &str = "a project is one code location: leave this out";
const LAUNCHER: &str = "give the assets of a schedule, sensor or job a tag or a group, and select \
                        by that";

/// The attributes that can be answered, as they are written.
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
    ("status", unsupported("status", STATE)),
    ("changed_in_branch", unsupported("changed_in_branch", STATE)),
    ("automation_type", unsupported("automation_type", LAUNCHER)),
    ("sensor", unsupported("sensor", LAUNCHER)),
    ("schedule", unsupported("schedule", LAUNCHER)),
    ("job", unsupported("job", LAUNCHER)),
    ("column", unsupported("column", METADATA)),
    ("column_tag", unsupported("column_tag", METADATA)),
    ("table_name", unsupported("table_name", METADATA)),
    ("code_location", unsupported("code_location", PLACE)),
];

const fn unsupported(name: &'static str, instead: &'static str) -> Attribute {
    Attribute::Unsupported { name, instead }
}

impl Attribute {
    pub(super) fn named(name: &str) -> Option<Self> {
        ATTRIBUTES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, attribute)| *attribute)
    }
}

/// The attribute that a word was probably meant to be.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "asset" | "assets" | "name" => Some("key"),
        "team" => Some("owner"),
        _ => nearest(&lower, ATTRIBUTES.iter().map(|(known, _)| *known))
            .first()
            .copied(),
    }
}

/// Words of the language, which as a key have to be quoted.
pub(super) fn is_reserved(word: &str) -> bool {
    matches!(word, "roots" | "sinks") || Attribute::named(word).is_some()
}

/// Words of the language, which as any other value have to be quoted.
pub(super) fn is_reserved_as_value(word: &str) -> bool {
    is_reserved(word) && !matches!(word, "sensor" | "schedule" | "job")
}
