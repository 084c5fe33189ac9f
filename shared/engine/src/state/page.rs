//! Reading long lists piece by piece.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::state::{StateError, StateErrorKind};

/// Where the next page begins. Its form is the store's own: give it back as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageToken(pub String);

impl PageToken {
    /// Writes down the place of the last item of a page.
    pub fn of<T: Serialize>(place: &T) -> Self {
        Self(serde_json::to_string(place).unwrap_or_default())
    }

    /// Reads the place back.
    ///
    /// # Errors
    /// `Conflict` when the token is of another list.
    pub fn place<T: DeserializeOwned>(&self) -> Result<T, StateError> {
        serde_json::from_str(&self.0).map_err(|source| {
            StateError::new(
                StateErrorKind::Conflict,
                format!(
                    "`{}` is not a place in this list: give back the `next` of the page before, or \
                     leave it out to begin at the first page",
                    self.0
                ),
            )
            .because(source)
        })
    }
}

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

    /// The place after which the page begins.
    ///
    /// # Errors
    /// `Conflict` when the token is of another list.
    pub fn place<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        self.after.as_ref().map(PageToken::place).transpose()
    }

    /// How many items to look for so as to learn whether there is a next page.
    pub fn look_for(&self) -> usize {
        self.limit.get().saturating_add(1)
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

impl<T> Page<T> {
    /// Makes a page of the items that were found, when one more was looked for than the page holds:
    /// the one too many tells that there is a next page. `place` answers an item's place.
    pub fn cut<P: Serialize>(
        mut items: Vec<T>,
        request: &PageRequest,
        place: impl FnOnce(&T) -> P,
    ) -> Self {
        let more = items.len() > request.limit.get();
        items.truncate(request.limit.get());
        let next = items
            .last()
            .filter(|_| more)
            .map(|item| PageToken::of(&place(item)));
        Self { items, next }
    }
}
