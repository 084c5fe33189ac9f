//! Owners of assets.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An owner of an asset: `team:NAME` or an e-mail address, as in Dagster.
///
/// ```
/// use precip_core::spec::Owner;
///
/// assert_eq!("team:data".parse(), Ok(Owner::Team("data".to_owned())));
/// assert!("ann".parse::<Owner>().is_err());
/// ```
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
        let invalid = || InvalidOwner {
            owner: owner.to_owned(),
        };
        if let Some(team) = owner.strip_prefix("team:") {
            return if team.trim().is_empty() {
                Err(invalid())
            } else {
                Ok(Self::Team(team.to_owned()))
            };
        }
        // Dagster's pattern for e-mail addresses, which allows a top-level domain of 2 to 7
        // letters.
        let (name, host) = owner.split_once('@').ok_or_else(invalid)?;
        let (domain, top) = host.rsplit_once('.').ok_or_else(invalid)?;
        let valid_name = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._%+-".contains(c));
        let valid_domain = !domain.is_empty()
            && domain
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
        let valid_top =
            (2..=7).contains(&top.len()) && top.bytes().all(|b| b.is_ascii_alphabetic());
        if valid_name && valid_domain && valid_top {
            Ok(Self::Email(owner.to_owned()))
        } else {
            Err(invalid())
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
#[error(
    "`{owner}` is not an owner: write `team:NAME` or an e-mail address, like `team:data` or `ann@example.com`"
)]
pub struct InvalidOwner {
    /// The rejected string.
    pub owner: String,
}
