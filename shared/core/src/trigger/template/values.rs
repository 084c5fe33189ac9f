//! [`KeyValues`]: what a key says.

use std::collections::BTreeMap;

/// What a key says, by the names of its template.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyValues(pub(in crate::trigger) BTreeMap<String, Captured>);

/// What one name of a template stands for in a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Captured {
    /// A dimension's key as it is written.
    Text(String),
    /// The digits of a moment, by the letter of their `strftime` directive.
    Moment {
        /// As it stands in the key.
        text: String,
        /// Directive to digits.
        digits: BTreeMap<char, String>,
    },
}

impl KeyValues {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Captured> {
        self.0.get(name)
    }

    /// The value of a name as it stands in the key.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Captured::text)
    }

    /// Names and values as they stand in the key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.text()))
    }
}

impl Captured {
    /// As it stands in the key.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Moment { text, .. } => text,
        }
    }
}
