//! [`KeyTemplate`]: the form of object keys, and the values in them.

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

/// The form of object keys, such as `orders/{date}/{region}.csv`. Each name in braces is a
/// dimension of the partition that the object belongs to.
///
/// | written | matches |
/// |---|---|
/// | `{region}` | one or more characters without `/`: the key of dimension `region` |
/// | `{date:%Y/%m/%d}` | a time in this format, translated to the format of the dimension's keys |
/// | `*` | any characters without `/`, or none |
/// | `**` | any characters, or none |
/// | `{{`, `}}` | a brace |
///
/// A repeated name has to match the same text every time. Where a key has several readings, the
/// first name matches as much as possible; a reading whose partition does not exist gives way to
/// the next.
///
/// ```
/// use precip_core::trigger::KeyTemplate;
///
/// let template: KeyTemplate = "orders/{date}/{region}.csv".parse()?;
/// let values = template.read_key("orders/2024-01-31/north east.csv").next().expect("it fits");
/// assert_eq!(values.text("region"), Some("north east"));
/// assert!(template.read_key("orders/2024-01-31/archive/north.csv").next().is_none());
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
    /// Parses a template.
    ///
    /// # Errors
    /// [`InvalidKeyTemplate`] with the position, and what to write instead.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidKeyTemplate> {
        let text = text.as_ref();
        Ok(Self {
            text: text.into(),
            pieces: parse::parse_template(text)?,
        })
    }

    /// Creates a template of all keys with a prefix and a suffix.
    pub(crate) fn from_ends(prefix: &str, suffix: &str) -> Self {
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

    /// Returns the template as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the names in braces, each once, in their order.
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

    /// Iterates over the names with a time format, with the directives in it.
    pub(super) fn time_formats(&self) -> impl Iterator<Item = (&str, Vec<char>)> {
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

    /// Returns the literal prefix of every key.
    pub fn prefix(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// Iterates over the readings of a key, the likeliest first; there is none when the key does
    /// not match. A name without a format matches as much as possible. Finds at most
    /// [`Self::MOST_READINGS`].
    pub fn read_key(&self, key: &str) -> impl Iterator<Item = KeyValues> + use<> {
        matching::find_readings(&self.pieces, key, Self::MOST_READINGS).into_iter()
    }

    /// Returns `true` if a key matches.
    pub fn matches_key(&self, key: &str) -> bool {
        !matching::find_readings(&self.pieces, key, 1).is_empty()
    }

    /// The largest number of readings of one key: enough for keys such as `2024-01-31-EWR` under
    /// `{date}-{origin}`.
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
