//! Reading long lists piece by piece.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

/// Where the next page begins. Its form is the store's own: give it back as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageToken(pub String);

/// Which piece of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    /// How many items at most. A store may answer fewer although more follow.
    pub limit: NonZeroUsize,
    /// [`Page::next`] of the page before; `None` for the first page.
    pub after: Option<PageToken>,
}

impl PageRequest {
    /// The first page. A limit of 0 is taken as 1.
    pub fn first(limit: usize) -> Self {
        Self {
            limit: NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN),
            after: None,
        }
    }

    /// The page of the same size that begins at a token.
    #[must_use]
    pub fn after(&self, token: PageToken) -> Self {
        Self {
            limit: self.limit,
            after: Some(token),
        }
    }
}

/// One piece of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` when this was the last.
    pub next: Option<PageToken>,
}
