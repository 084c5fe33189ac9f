//! [`KeyValues`]: the values read from a key.

use std::collections::BTreeMap;

/// The values read from a key, by the names of its template.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyValues(pub(in crate::trigger) BTreeMap<String, Captured>);

/// The value of one name of a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Captured {
    /// A key of the dimension.
    Text(String),
    /// A time, in the format of the template.
    Moment {
        /// The text in the key.
        text: String,
        /// The digits by the letter of their `strftime` directive.
        digits: BTreeMap<char, String>,
    },
}

impl KeyValues {
    /// Returns the value of a name.
    pub fn get(&self, name: &str) -> Option<&Captured> {
        self.0.get(name)
    }

    /// Returns the text of a name in the key.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Captured::text)
    }

    /// Iterates over the names and their texts in the key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.text()))
    }
}

impl Captured {
    /// Returns the text in the key.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Moment { text, .. } => text,
        }
    }
}
