//! [`StateName`].

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The name of a state: 1 to 80 characters, without those that Step Functions refuses
/// (control characters and `? * < > { } [ ] : ; , \ | ^ ~ $ # % & ` " `).
///
/// People see these names in the Step Functions console, so they are asset names where possible.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StateName(Arc<str>);

impl StateName {
    /// The longest name that Step Functions accepts, in characters.
    pub const MAX_CHARS: usize = 80;

    /// Creates a name.
    ///
    /// # Errors
    /// [`InvalidStateName`] when it is empty, too long, or holds a character that Step Functions
    /// refuses.
    pub fn new(name: impl Into<Arc<str>>) -> Result<Self, InvalidStateName> {
        let name = name.into();
        let chars = name.chars().count();
        if chars == 0 || chars > Self::MAX_CHARS {
            return Err(InvalidStateName::Length {
                name: name.to_string(),
                chars,
            });
        }
        match name.chars().find(|c| !Self::allows_character(*c)) {
            Some(character) => Err(InvalidStateName::Character {
                name: name.to_string(),
                character,
            }),
            None => Ok(Self(name)),
        }
    }

    /// Returns whether a name may hold a character.
    pub fn allows_character(character: char) -> bool {
        !character.is_control() && !"?*<>{}[]:;,\\|^~$#%&`\"".contains(character)
    }

    /// Returns the name as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for StateName {
    type Error = InvalidStateName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<StateName> for String {
    fn from(name: StateName) -> Self {
        name.as_str().to_owned()
    }
}

/// A string that cannot name a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStateName {
    /// Empty or too long.
    #[error(
        "`{name}` has {chars} characters: a state name has 1 to {}",
        StateName::MAX_CHARS
    )]
    Length {
        /// The string that was given.
        name: String,
        /// Its length, in characters.
        chars: usize,
    },
    /// Holds a character that Step Functions refuses.
    #[error("`{name}` holds {character:?}, which Step Functions refuses in a state name")]
    Character {
        /// The string that was given.
        name: String,
        /// The first such character.
        character: char,
    },
}
