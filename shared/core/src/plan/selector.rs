//! [`PartitionSelector`]: the partitions of a request, as a person writes them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::partitions::PartitionKey;

/// The partitions of a request.
///
/// | written | means |
/// |---|---|
/// | `2024-01-01` | one key |
/// | `2024-01-01...2024-01-31` | from the first to the last, both included |
/// | `EWR,JFK` | a list of keys and ranges |
/// | `"a,b.csv"` | a key in quotes, whatever is in it; `\"` and `\\` stand for `"` and `\` |
/// | `all`, `latest` | every partition that exists; the last one |
/// | `missing`, `failed` | those never made; those whose newest attempt failed |
/// | `missing:2024-01-01...2024-01-31` | those of a list (or of `all`, `latest`) that are missing, or `failed:` |
///
/// ```
/// use precip_core::plan::PartitionSelector;
///
/// let january: PartitionSelector = "missing:2024-01-01...2024-01-31".parse()?;
/// assert_eq!(january.to_string(), "missing:2024-01-01...2024-01-31");
/// # Ok::<(), precip_core::plan::InvalidPartitionSelector>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartitionSelector {
    /// The partitions to choose from.
    pub which: Which,
    /// Which of those.
    pub only: Option<Only>,
}

/// The partitions to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Which {
    /// None was given: right when every asset is unpartitioned.
    #[default]
    Unspecified,
    /// Every partition that exists.
    All,
    /// The last partition of each asset.
    Latest,
    /// Keys and ranges of keys.
    Keys(Vec<KeySpan>),
}

/// One key, or all keys between two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySpan {
    /// One key.
    One(PartitionKey),
    /// From the first to the last, both included.
    Range(PartitionKey, PartitionKey),
}

/// A condition on what is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Never made.
    Missing,
    /// The newest attempt failed.
    Failed,
}

impl PartitionSelector {
    /// Chooses from some partitions without a condition.
    pub fn new(which: Which) -> Self {
        Self { which, only: None }
    }

    /// These keys.
    pub fn keys<K: Into<PartitionKey>>(keys: impl IntoIterator<Item = K>) -> Self {
        let spans = keys.into_iter().map(|key| KeySpan::One(key.into()));
        Self::new(Which::Keys(spans.collect()))
    }

    /// From one key to another, both included.
    pub fn range(start: impl Into<PartitionKey>, end: impl Into<PartitionKey>) -> Self {
        let span = KeySpan::Range(start.into(), end.into());
        Self::new(Which::Keys(vec![span]))
    }

    /// Every partition that exists.
    pub fn all() -> Self {
        Self::new(Which::All)
    }

    /// Only those that were never made.
    #[must_use]
    pub fn missing(self) -> Self {
        Self {
            only: Some(Only::Missing),
            ..self
        }
    }
}

impl FromStr for PartitionSelector {
    type Err = InvalidPartitionSelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (only, rest) = match text.split_once(':') {
            Some(("missing", rest)) => (Some(Only::Missing), rest),
            Some(("failed", rest)) => (Some(Only::Failed), rest),
            _ => match text {
                "missing" => (Some(Only::Missing), "all"),
                "failed" => (Some(Only::Failed), "all"),
                _ => (None, text),
            },
        };
        let which = match rest.trim() {
            "" => return Err(InvalidPartitionSelector::Empty),
            "all" => Which::All,
            "latest" => Which::Latest,
            list => Which::Keys(
                pieces(list, ",")
                    .into_iter()
                    .map(span)
                    .collect::<Result<_, _>>()?,
            ),
        };
        Ok(Self { which, only })
    }
}

fn span(text: &str) -> Result<KeySpan, InvalidPartitionSelector> {
    let text = text.trim();
    let ends = pieces(text, "...");
    match ends[..] {
        [""] => Err(InvalidPartitionSelector::Empty),
        [one] => Ok(KeySpan::One(key(one))),
        [start, ..] => {
            let end = &text[start.len() + 3..];
            if start.trim().is_empty() || end.trim().is_empty() {
                return Err(InvalidPartitionSelector::HalfRange {
                    range: text.to_owned(),
                });
            }
            Ok(KeySpan::Range(key(start), key(end)))
        }
        [] => Err(InvalidPartitionSelector::Empty),
    }
}

/// What stands between separators outside quotes.
fn pieces<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        // A quote opens at the beginning of a key only.
        let length = quoted(rest).filter(|_| text[start..at].trim().is_empty());
        if let Some(length) = length {
            at += length;
        } else if rest.starts_with(separator) {
            pieces.push(&text[start..at]);
            at += separator.len();
            start = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    pieces.push(&text[start..]);
    pieces
}

/// The length of a quoted key at the beginning of a text, with its quotes.
fn quoted(text: &str) -> Option<usize> {
    let mut characters = text.strip_prefix('"')?.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '"' => return Some(at + 2),
            _ => {}
        }
    }
    None
}

fn key(written: &str) -> PartitionKey {
    let written = written.trim();
    if quoted(written) != Some(written.len()) {
        return written.into();
    }
    let mut key = String::new();
    let mut characters = written[1..written.len() - 1].chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => key.extend(characters.next()),
            other => key.push(other),
        }
    }
    key.into()
}

/// A key as it is read back: in quotes where it would be taken for something else.
fn written(key: &PartitionKey) -> String {
    let key = key.as_str();
    let plain = !key.contains(',')
        && !key.contains("...")
        && !key.starts_with('"')
        && !key.is_empty()
        && key.trim() == key
        && !["all", "latest", "missing", "failed"].contains(&key)
        && !key.starts_with("missing:")
        && !key.starts_with("failed:");
    if plain {
        return key.to_owned();
    }
    format!("\"{}\"", key.replace('\\', r"\\").replace('"', "\\\""))
}

impl fmt::Display for PartitionSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let only = match self.only {
            None => None,
            Some(Only::Missing) => Some("missing"),
            Some(Only::Failed) => Some("failed"),
        };
        match (only, &self.which) {
            (Some(only), Which::All | Which::Unspecified) => return f.write_str(only),
            (Some(only), _) => write!(f, "{only}:")?,
            (None, _) => {}
        }
        match &self.which {
            Which::Unspecified => Ok(()),
            Which::All => f.write_str("all"),
            Which::Latest => f.write_str("latest"),
            Which::Keys(spans) => spans.iter().enumerate().try_for_each(|(place, span)| {
                let comma = if place == 0 { "" } else { "," };
                match span {
                    KeySpan::One(key) => write!(f, "{comma}{}", written(key)),
                    KeySpan::Range(start, end) => {
                        write!(f, "{comma}{}...{}", written(start), written(end))
                    }
                }
            }),
        }
    }
}

impl TryFrom<String> for PartitionSelector {
    type Error = InvalidPartitionSelector;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.parse()
    }
}

impl From<PartitionSelector> for String {
    fn from(selector: PartitionSelector) -> Self {
        selector.to_string()
    }
}

/// Partitions that are not written as they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPartitionSelector {
    /// Nothing between two commas, or nothing at all.
    #[error(
        "a partition key is empty: write keys with `,` between them, like `2024-01-01,2024-01-02`"
    )]
    Empty,
    /// A range without one of its ends.
    #[error("`{range}` has only one end: write both keys, like `2024-01-01...2024-01-31`")]
    HalfRange {
        /// The range as it was written.
        range: String,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_in_quotes_is_what_it_is() {
        let read: PartitionSelector = r#""a,b.csv",c,"d...e"..."f\"g""#.parse().unwrap();
        let expected = Which::Keys(vec![
            KeySpan::One("a,b.csv".into()),
            KeySpan::One("c".into()),
            KeySpan::Range("d...e".into(), "f\"g".into()),
        ]);
        assert_eq!(read.which, expected);
        assert_eq!("a\"b".parse(), Ok(PartitionSelector::keys(["a\"b"])));
    }

    proptest! {
        #[test]
        fn any_keys_are_read_back(keys in prop::collection::vec("[a,. \"\\\\|:]{1,6}|all|missing:x|é", 1..4)) {
            let selector = PartitionSelector::keys(keys.iter().map(String::as_str));
            prop_assert_eq!(selector.to_string().parse(), Ok(selector));
        }
    }
}
