//! [`KeyFormat`]: the format of a window's key.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// The format in which the start of a window is written as a key: a `strftime` format with Python's
/// semantics.
///
/// Directives: `%Y %y %m %d %j %H %I %p %M %S %f %b %B %a %A %u %w %G %V %z %%`. A year is
/// required, and `%G` requires `%V` and a day of the week, as in Python.
///
/// ```
/// use precip_core::partitions::KeyFormat;
///
/// assert!("%Y-%m-%d".parse::<KeyFormat>().is_ok());
/// let fault = "%Y-%q".parse::<KeyFormat>().unwrap_err();
/// assert_eq!(
///     fault.to_string(),
///     "`%Y-%q` is not a format of keys: `%q` is not a directive; there are %Y %y %m %d %j %H %I \
///      %p %M %S %f %b %B %a %A %u %w %G %V %z %%"
/// );
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyFormat {
    text: Arc<str>,
    /// The pieces of the format, left to right.
    pub(super) items: Vec<Item>,
}

/// One piece of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Literal(char),
    Space(char),
    Year,
    YearOfCentury,
    Month,
    Day,
    DayOfYear,
    Hour,
    Hour12,
    AmPm,
    Minute,
    Second,
    Microsecond,
    Offset,
    MonthName { short: bool },
    WeekdayName { short: bool },
    IsoYear,
    IsoWeek,
    IsoWeekday,
    Weekday,
}

impl KeyFormat {
    /// Parses a format.
    ///
    /// # Errors
    /// [`InvalidKeyFormat`] for an unknown directive, or if keys could not be parsed again.
    pub fn new(format: impl AsRef<str>) -> Result<Self, InvalidKeyFormat> {
        let text = format.as_ref();
        let invalid = |reason| InvalidKeyFormat {
            fmt: text.to_owned(),
            reason,
        };
        let mut items = Vec::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            items.push(match character {
                '%' => {
                    let directive = rest.next();
                    directive
                        .and_then(Item::from_directive)
                        .ok_or_else(|| invalid(InvalidFormatKind::Directive(directive)))?
                }
                space if space.is_whitespace() => Item::Space(space),
                other => Item::Literal(other),
            });
        }
        // Python parses a week of the year only together with its year and a day of the week.
        let has = |item| items.contains(&item);
        let weekday = has(Item::IsoWeekday)
            || has(Item::Weekday)
            || items
                .iter()
                .any(|item| matches!(item, Item::WeekdayName { .. }));
        if has(Item::IsoYear) != has(Item::IsoWeek) || (has(Item::IsoYear) && !weekday) {
            return Err(invalid(InvalidFormatKind::IsoWeek));
        }
        if !has(Item::Year) && !has(Item::YearOfCentury) && !has(Item::IsoYear) {
            return Err(invalid(InvalidFormatKind::NoYear));
        }
        Ok(Self {
            text: text.into(),
            items,
        })
    }

    /// Returns the format as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns true if keys contain the offset from UTC (`%z`).
    pub fn has_offset(&self) -> bool {
        self.items.contains(&Item::Offset)
    }
}

impl Item {
    fn from_directive(directive: char) -> Option<Self> {
        Some(match directive {
            '%' => Self::Literal('%'),
            'Y' => Self::Year,
            'y' => Self::YearOfCentury,
            'm' => Self::Month,
            'd' => Self::Day,
            'j' => Self::DayOfYear,
            'H' => Self::Hour,
            'I' => Self::Hour12,
            'p' => Self::AmPm,
            'M' => Self::Minute,
            'S' => Self::Second,
            'f' => Self::Microsecond,
            'z' => Self::Offset,
            'b' => Self::MonthName { short: true },
            'B' => Self::MonthName { short: false },
            'a' => Self::WeekdayName { short: true },
            'A' => Self::WeekdayName { short: false },
            'G' => Self::IsoYear,
            'V' => Self::IsoWeek,
            'u' => Self::IsoWeekday,
            'w' => Self::Weekday,
            _ => return None,
        })
    }
}

/// A text that is not a valid format of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{fmt}` is not a format of keys: {reason}")]
pub struct InvalidKeyFormat {
    /// The rejected text.
    pub fmt: String,
    /// The reason, and what to write instead.
    pub(super) reason: InvalidFormatKind,
}

/// The reasons why a format of keys is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InvalidFormatKind {
    Directive(Option<char>),
    IsoWeek,
    NoYear,
}

impl fmt::Display for InvalidFormatKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(directive) => write!(
                f,
                "`%{}` is not a directive; there are %Y %y %m %d %j %H %I %p %M %S %f %b %B %a %A \
                 %u %w %G %V %z %%",
                directive.map(String::from).unwrap_or_default()
            ),
            Self::IsoWeek => f.write_str(
                "a week of the year needs `%G`, `%V` and a day of the week together; write \
                 `%G-W%V-%u`",
            ),
            Self::NoYear => f.write_str("it has no year; add one, like `%Y-%m-%d`"),
        }
    }
}

impl PartialEq for KeyFormat {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for KeyFormat {}

impl fmt::Display for KeyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for KeyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFormat({})", self.text)
    }
}

impl FromStr for KeyFormat {
    type Err = InvalidKeyFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for KeyFormat {
    type Error = InvalidKeyFormat;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<KeyFormat> for String {
    fn from(format: KeyFormat) -> Self {
        format.as_str().to_owned()
    }
}
