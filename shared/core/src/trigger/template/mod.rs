//! [`KeyTemplate`]: what the keys of objects look like, and what they say.

mod error;
mod matching;
mod parse;
mod piece;
mod values;

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

pub(super) use self::piece::FormatPart;
pub(super) use self::piece::Piece;
pub use self::{
    error::InvalidKeyTemplate,
    values::{Captured, KeyValues},
};

/// What the keys of objects look like, such as `orders/{date}/{region}.csv`, and what they say: each
/// name in braces is a dimension of the partitions that the object belongs to.
///
/// | written | stands for |
/// |---|---|
/// | `{region}` | one or more characters without `/`: the key of dimension `region` |
/// | `{date:%Y/%m/%d}` | a moment in a form of its own, written as the dimension's keys are |
/// | `*` | any characters without `/`, or none |
/// | `**` | any characters, or none |
/// | `{{`, `}}` | a brace |
///
/// A name that stands twice has to say the same both times. Where a key can be read in several ways,
/// the first name takes as much as it can; a way whose partition does not exist gives way to the next.
///
/// ```
/// use precip_core::trigger::KeyTemplate;
///
/// let template: KeyTemplate = "orders/{date}/{region}.csv".parse()?;
/// let values = template.read("orders/2024-01-31/north east.csv").next().expect("it fits");
/// assert_eq!(values.text("region"), Some("north east"));
/// assert!(template.read("orders/2024-01-31/archive/north.csv").next().is_none());
///
/// let fault = "orders/{date.csv".parse::<KeyTemplate>().unwrap_err();
/// assert_eq!(
///     fault.to_string(),
///     "`orders/{date.csv` is not a template of object keys: `{` is not closed: write `{date}`, or \
///      `{{` for a brace"
/// );
/// # Ok::<(), precip_core::trigger::InvalidKeyTemplate>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyTemplate {
    text: Arc<str>,
    pub(super) pieces: Vec<Piece>,
}

impl KeyTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// [`InvalidKeyTemplate`], which says where and what to write instead.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidKeyTemplate> {
        let text = text.as_ref();
        Ok(Self {
            text: text.into(),
            pieces: parse::parse(text)?,
        })
    }

    /// A template of all keys that begin and end so.
    pub(crate) fn between(prefix: &str, suffix: &str) -> Self {
        let literal = |text: &str| (!text.is_empty()).then(|| Piece::Literal(text.to_owned()));
        let pieces = literal(prefix)
            .into_iter()
            .chain([Piece::Deep])
            .chain(literal(suffix));
        let escaped = |text: &str| text.replace('{', "{{").replace('}', "}}");
        Self {
            text: format!("{}**{}", escaped(prefix), escaped(suffix)).into(),
            pieces: pieces.collect(),
        }
    }

    /// The template as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names in braces, each once, in the order in which they stand.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for piece in &self.pieces {
            if let Piece::Value { name, .. } = piece
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }

    /// The names that have a form of their own, with the directives in it.
    pub(super) fn formats(&self) -> impl Iterator<Item = (&str, Vec<char>)> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value {
                name,
                format: Some(format),
            } => {
                let directives = format.iter().filter_map(|part| match part {
                    FormatPart::Digits { directive, .. } => Some(*directive),
                    FormatPart::Literal(_) => None,
                });
                Some((name.as_str(), directives.collect()))
            }
            _ => None,
        })
    }

    /// What every key begins with.
    pub fn prefix(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// The ways in which a key can be read, the likeliest first; none when it does not fit. A name
    /// without a form takes as much as it can. At most [`Self::MOST_READINGS`] are found.
    pub fn read(&self, key: &str) -> impl Iterator<Item = KeyValues> + use<> {
        matching::readings(&self.pieces, key, Self::MOST_READINGS).into_iter()
    }

    /// Whether a key fits.
    pub fn fits(&self, key: &str) -> bool {
        !matching::readings(&self.pieces, key, 1).is_empty()
    }

    /// How many ways of reading one key are looked at: enough for keys such as `2024-01-31-EWR`
    /// under `{date}-{origin}`.
    pub const MOST_READINGS: usize = 32;
}

impl fmt::Display for KeyTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for KeyTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyTemplate({})", self.text)
    }
}

impl PartialEq for KeyTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for KeyTemplate {}

impl FromStr for KeyTemplate {
    type Err = InvalidKeyTemplate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for KeyTemplate {
    type Error = InvalidKeyTemplate;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<KeyTemplate> for String {
    fn from(template: KeyTemplate) -> Self {
        template.as_str().to_owned()
    }
}
