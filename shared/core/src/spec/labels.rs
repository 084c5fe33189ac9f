//! Labels people put on assets.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Who answers for an asset: `team:NAME` or an e-mail address, as in Dagster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Owner {
    /// A team, by name.
    Team(String),
    /// A person, by e-mail address.
    Email(String),
}

impl FromStr for Owner {
    type Err = InvalidOwner;

    fn from_str(owner: &str) -> Result<Self, Self::Err> {
        let refuse = || InvalidOwner {
            owner: owner.to_owned(),
        };
        if let Some(team) = owner.strip_prefix("team:") {
            return if team.is_empty() || team.contains(char::is_whitespace) {
                Err(refuse())
            } else {
                Ok(Self::Team(team.to_owned()))
            };
        }
        let (name, host) = owner.split_once('@').ok_or_else(refuse)?;
        let plain = |part: &str| {
            !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@')
        };
        let domain = host.split('.').count() > 1 && host.split('.').all(plain);
        if plain(name) && domain {
            Ok(Self::Email(owner.to_owned()))
        } else {
            Err(refuse())
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Team(team) => write!(f, "team:{team}"),
            Self::Email(email) => f.write_str(email),
        }
    }
}

impl TryFrom<String> for Owner {
    type Error = InvalidOwner;

    fn try_from(owner: String) -> Result<Self, Self::Error> {
        owner.parse()
    }
}

impl From<Owner> for String {
    fn from(owner: Owner) -> Self {
        owner.to_string()
    }
}

/// A string that is not an [`Owner`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{owner}` is not an owner: write `team:NAME` or an e-mail address")]
pub struct InvalidOwner {
    /// What was given.
    pub owner: String,
}
