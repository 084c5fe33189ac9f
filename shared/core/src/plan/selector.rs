//! [`PartitionSelector`]: the partitions of a request in their text form.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::partitions::PartitionKey;

/// The partitions of a request.
///
/// | written | means |
/// |---|---|
/// | `2024-01-01` | one key |
/// | `2024-01-01...2024-01-31` | from the first key to the last, both included |
/// | `EWR,JFK` | a list of keys and ranges |
/// | `"a,b.csv"` | a quoted key with any characters; `\"` and `\\` mean `"` and `\` |
/// | `all`, `latest` | every existing partition; the last one |
/// | `missing`, `failed`, `skipped` | partitions that were never materialized and are not skipped; those whose newest attempt failed; those that there was nothing to make for |
/// | `missing:2024-01-01...2024-01-31` | the missing ones of a list, of `all` or of `latest`; likewise `failed:` and `skipped:` |
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
    pub choice: PartitionChoice,
    /// The status that the partitions must have; `None` for any.
    pub status: Option<StatusFilter>,
}

/// The partitions that a request chooses from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PartitionChoice {
    /// No partitions are given, which suits unpartitioned assets.
    #[default]
    Unspecified,
    /// Every existing partition.
    All,
    /// The last partition of each asset.
    Latest,
    /// Keys and ranges of keys.
    Keys(Vec<KeySpan>),
}

/// One key, or a range of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySpan {
    /// One key.
    One(PartitionKey),
    /// The range from the first key to the last, both included.
    Range(PartitionKey, PartitionKey),
}

/// A condition on the recorded status of partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFilter {
    /// The partition was never materialized, and is not skipped.
    Missing,
    /// The newest attempt of the partition failed.
    Failed,
    /// There was nothing to make for the partition, or for one that it needs.
    Skipped,
}

impl StatusFilter {
    const ALL: [Self; 3] = [Self::Missing, Self::Failed, Self::Skipped];

    /// Returns the filter as it is written.
    fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.as_str() == name)
    }
}

impl PartitionSelector {
    /// Selects partitions whatever their status.
    pub fn new(choice: PartitionChoice) -> Self {
        Self {
            choice,
            status: None,
        }
    }

    /// Selects keys.
    pub fn keys<K: Into<PartitionKey>>(keys: impl IntoIterator<Item = K>) -> Self {
        let spans = keys.into_iter().map(|key| KeySpan::One(key.into()));
        Self::new(PartitionChoice::Keys(spans.collect()))
    }

    /// Selects the range from one key to another, both included.
    pub fn range(start: impl Into<PartitionKey>, end: impl Into<PartitionKey>) -> Self {
        let span = KeySpan::Range(start.into(), end.into());
        Self::new(PartitionChoice::Keys(vec![span]))
    }

    /// Selects every existing partition.
    pub fn all() -> Self {
        Self::new(PartitionChoice::All)
    }

    /// Keeps only missing partitions.
    #[must_use]
    pub fn only_missing(self) -> Self {
        Self {
            status: Some(StatusFilter::Missing),
            ..self
        }
    }
}

impl FromStr for PartitionSelector {
    type Err = InvalidPartitionSelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let prefix = text.split_once(':');
        let prefix = prefix.and_then(|(name, rest)| Some((StatusFilter::from_name(name)?, rest)));
        let (only, rest) = match (prefix, StatusFilter::from_name(text)) {
            (Some((filter, rest)), _) => (Some(filter), rest),
            (None, Some(filter)) => (Some(filter), "all"),
            (None, None) => (None, text),
        };
        let which = match rest.trim() {
            "" => return Err(InvalidPartitionSelector::Empty),
            "all" => PartitionChoice::All,
            "latest" => PartitionChoice::Latest,
            list => PartitionChoice::Keys(
                split_unquoted(list, ",")
                    .into_iter()
                    .map(parse_span)
                    .collect::<Result<_, _>>()?,
            ),
        };
        Ok(Self {
            choice: which,
            status: only,
        })
    }
}

/// Parses a key or a range of keys.
fn parse_span(text: &str) -> Result<KeySpan, InvalidPartitionSelector> {
    let text = text.trim();
    let ends = split_unquoted(text, "...");
    match ends[..] {
        [""] => Err(InvalidPartitionSelector::Empty),
        [one] => Ok(KeySpan::One(parse_key(one))),
        [start, ..] => {
            // A third `...` belongs to the end key.
            let end = &text[start.len() + 3..];
            if start.trim().is_empty() || end.trim().is_empty() {
                return Err(InvalidPartitionSelector::HalfRange {
                    range: text.to_owned(),
                });
            }
            Ok(KeySpan::Range(parse_key(start), parse_key(end)))
        }
        [] => Err(InvalidPartitionSelector::Empty),
    }
}

/// Splits a text at the separators outside quotes.
fn split_unquoted<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        // A quote opens at the beginning of a key only.
        let length = quoted_length(rest).filter(|_| text[start..at].trim().is_empty());
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

/// Returns the length of the quoted key at the start of a text, quotes included.
fn quoted_length(text: &str) -> Option<usize> {
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

/// Parses a key: a quoted one without its quotes and escapes, any other as it is.
fn parse_key(text: &str) -> PartitionKey {
    let trimmed = text.trim();
    if quoted_length(trimmed) != Some(trimmed.len()) {
        return trimmed.into();
    }
    let mut key = String::new();
    let mut characters = trimmed[1..trimmed.len() - 1].chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => key.extend(characters.next()),
            other => key.push(other),
        }
    }
    key.into()
}

impl PartitionKey {
    /// Returns the key as [`PartitionSelector`] reads it, and with it `--partitions`: in quotes where
    /// it would mean something else.
    ///
    /// ```
    /// use precip_core::partitions::PartitionKey;
    ///
    /// assert_eq!(PartitionKey::from("2024-01-31").to_selector(), "2024-01-31");
    /// assert_eq!(PartitionKey::from("a,b.csv").to_selector(), "\"a,b.csv\"");
    /// ```
    pub fn to_selector(&self) -> String {
        let key = self.as_str();
        // A dot at an end would join those of a range.
        let plain = !key.contains(',')
            && !key.contains("...")
            && !key.starts_with('.')
            && !key.ends_with('.')
            && !key.starts_with('"')
            && !key.is_empty()
            && key.trim() == key
            && !["all", "latest"].contains(&key)
            && StatusFilter::from_name(key.split(':').next().unwrap_or(key)).is_none();
        if plain {
            return key.to_owned();
        }
        format!("\"{}\"", key.replace('\\', r"\\").replace('"', "\\\""))
    }
}

impl fmt::Display for PartitionSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let only = self.status.map(StatusFilter::as_str);
        match (only, &self.choice) {
            (Some(only), PartitionChoice::All | PartitionChoice::Unspecified) => {
                return f.write_str(only);
            }
            (Some(only), _) => write!(f, "{only}:")?,
            (None, _) => {}
        }
        match &self.choice {
            PartitionChoice::Unspecified => Ok(()),
            PartitionChoice::All => f.write_str("all"),
            PartitionChoice::Latest => f.write_str("latest"),
            PartitionChoice::Keys(spans) => {
                spans.iter().enumerate().try_for_each(|(index, span)| {
                    let comma = if index == 0 { "" } else { "," };
                    match span {
                        KeySpan::One(key) => write!(f, "{comma}{}", key.to_selector()),
                        KeySpan::Range(start, end) => {
                            write!(f, "{comma}{}...{}", start.to_selector(), end.to_selector())
                        }
                    }
                })
            }
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

/// A text that is not a partition selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPartitionSelector {
    /// A key is empty.
    #[error(
        "a partition key is empty: write keys with `,` between them, like `2024-01-01,2024-01-02`"
    )]
    Empty,
    /// A range lacks one of its ends.
    #[error("`{range}` has only one end: write both keys, like `2024-01-01...2024-01-31`")]
    HalfRange {
        /// The range as given.
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
        let expected = PartitionChoice::Keys(vec![
            KeySpan::One("a,b.csv".into()),
            KeySpan::One("c".into()),
            KeySpan::Range("d...e".into(), "f\"g".into()),
        ]);
        assert_eq!(read.choice, expected);
        assert_eq!("a\"b".parse(), Ok(PartitionSelector::keys(["a\"b"])));
        // Dots at the end of a key would join those of the range.
        let range = PartitionSelector::range(".", "b..");
        assert_eq!(range.to_string(), r#""."..."b..""#);
        assert_eq!(range.to_string().parse(), Ok(range));
    }

    proptest! {
        #[test]
        fn any_keys_are_read_back(keys in prop::collection::vec("[a,. \"\\\\|:]{1,6}|all|skipped|missing:x|é", 1..4)) {
            let selector = PartitionSelector::keys(keys.iter().map(String::as_str));
            prop_assert_eq!(selector.to_string().parse(), Ok(selector));
        }
    }
}
