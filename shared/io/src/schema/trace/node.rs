//! What is known of one field of a row type.

use arrow_schema::{DataType, TimeUnit};

/// What is known of one field.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    /// Which sample is tried here.
    pub(super) sample: usize,
    /// Nothing more can be learned here by samples, because the type refuses them all: it is left
    /// out of later passes, so that the fields beside it are still seen.
    pub(super) refused: bool,
    /// Why it has no column type.
    pub(super) problem: Option<String>,
}

#[derive(Debug, Default)]
pub(super) enum Kind {
    #[default]
    Unknown,
    Leaf(DataType),
    /// Text, whose type depends on the sample that was taken.
    Text,
    Struct(Vec<(String, Node)>),
    List(Box<Node>),
    Map(Box<Node>, Box<Node>),
}

/// Texts that tell types apart. What takes one of the first is text of some kind, though perhaps not
/// any text; what takes none of them, but a date, is a date.
pub(super) const TEXTS: [&str; 16] = [
    "",
    "a",
    "0",
    "UTC",
    "AAAAAAAAAA",
    "00000000-0000-0000-0000-000000000000",
    "0.0.0.0",
    "::",
    "https://example.com/",
    "a@example.com",
    "P1D",
    "{}",
    "1970-01-01",
    "1970-01-01T00:00:00",
    "1970-01-01T00:00:00Z",
    "00:00:00",
];

/// Where dates and times begin among [`TEXTS`].
pub(super) const TIMES: usize = 12;

impl Node {
    /// The column type of a text by the sample that was taken.
    pub(super) fn text_type(&self) -> DataType {
        match self.sample.wrapping_sub(TIMES) {
            0 => DataType::Date32,
            1 => DataType::Timestamp(TimeUnit::Microsecond, None),
            2 => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            3 => DataType::Time64(TimeUnit::Microsecond),
            _ => DataType::Utf8,
        }
    }

    /// Every field below that has no column type, as "`a.b` is ...".
    pub(super) fn problems(&self, path: &str) -> Vec<String> {
        let below = |name: &str, child: &Self| {
            child.problems(&if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            })
        };
        let mut problems: Vec<String> = self
            .problem
            .iter()
            .map(|problem| match path {
                "" => format!("it {problem}"),
                path => format!("field `{path}` {problem}"),
            })
            .collect();
        match &self.kind {
            Kind::Unknown | Kind::Leaf(_) | Kind::Text => {}
            Kind::Struct(children) => {
                problems.extend(children.iter().flat_map(|(name, child)| below(name, child)));
            }
            Kind::List(item) => problems.extend(below("[]", item)),
            Kind::Map(key, value) => {
                problems.extend(below("{key}", key));
                problems.extend(below("{value}", value));
            }
        }
        problems
    }
}
