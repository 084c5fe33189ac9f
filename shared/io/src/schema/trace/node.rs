//! [`Node`]: the knowledge about one field of a row type.

use arrow_schema::{DataType, TimeUnit};

/// The knowledge about one field.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    /// Index of the sample to try.
    pub(super) sample: usize,
    /// `true` when the type refuses all samples. Later passes leave the node out, so that the fields next to it are
    /// still visited.
    pub(super) refused: bool,
    /// The reason why it has no column type.
    pub(super) problem: Option<String>,
}

#[derive(Debug, Default)]
pub(super) enum Kind {
    #[default]
    Unknown,
    Leaf(DataType),
    /// Text, whose column type depends on the accepted sample.
    Text,
    Struct(Vec<(String, Node)>),
    List(Box<Node>),
    Map(Box<Node>, Box<Node>),
}

/// Texts that distinguish types. A type that accepts one of the first is some kind of text; one that accepts only a
/// date is a date.
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

/// Index of the first date or time in [`TEXTS`].
pub(super) const TIMES: usize = 12;

impl Node {
    /// Returns the column type of a text by the accepted sample.
    pub(super) fn text_type(&self) -> DataType {
        match self.sample.wrapping_sub(TIMES) {
            0 => DataType::Date32,
            1 => DataType::Timestamp(TimeUnit::Microsecond, None),
            2 => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            3 => DataType::Time64(TimeUnit::Microsecond),
            _ => DataType::Utf8,
        }
    }

    /// Collects the problems of all fields without a column type, as "field `a.b` is ..".
    pub(super) fn collect_problems(&self, path: &str) -> Vec<String> {
        let below = |name: &str, child: &Self| {
            child.collect_problems(&if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            })
        };
        // The problem of the node itself comes before those of its parts.
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
