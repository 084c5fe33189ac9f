//! Paging through long lists.

use std::{num::NonZeroUsize, ops::Bound};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::state::{StateError, StateErrorKind};

/// An opaque token for the start of the next page, to be returned to the store unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageToken(pub String);

impl PageToken {
    /// Encodes the position of the last item of a page.
    pub fn encode_position<T: Serialize>(position: &T) -> Self {
        Self(serde_json::to_string(position).unwrap_or_default())
    }

    /// Decodes the position.
    ///
    /// # Errors
    /// `Conflict` when the token belongs to another list.
    pub fn decode_position<T: DeserializeOwned>(&self) -> Result<T, StateError> {
        serde_json::from_str(&self.0).map_err(|source| {
            StateError::new(
                StateErrorKind::Conflict,
                format!(
                    "`{}` is not a position in this list: pass the `next` of the page before, or leave \
                     it out to start at the first page",
                    self.0
                ),
            )
            .with_source(source)
        })
    }
}

/// A request for one page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    /// The maximum number of items. A store may return fewer although more follow.
    pub limit: NonZeroUsize,
    /// The [`Page::next`] of the previous page; `None` for the first page.
    pub after: Option<PageToken>,
}

impl PageRequest {
    /// Requests the first page. A limit of 0 counts as 1.
    pub fn first(limit: usize) -> Self {
        Self {
            limit: NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN),
            after: None,
        }
    }

    /// Returns the position after which the page begins.
    ///
    /// # Errors
    /// `Conflict` when the token belongs to another list.
    pub fn start_position<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        self.after
            .as_ref()
            .map(PageToken::decode_position)
            .transpose()
    }

    /// Returns the position as the excluded bound of a range; unbounded for the first page.
    ///
    /// # Errors
    /// `Conflict` when the token belongs to another list.
    pub fn start_bound<T: DeserializeOwned>(&self) -> Result<Bound<T>, StateError> {
        Ok(self
            .start_position()?
            .map_or(Bound::Unbounded, Bound::Excluded))
    }

    /// Returns the number of items to fetch: one more than the page holds, to detect a next page.
    pub fn fetch_limit(&self) -> usize {
        self.limit.get().saturating_add(1)
    }

    /// Requests the page of the same size that begins at a token.
    #[must_use]
    pub fn next_page(&self, token: PageToken) -> Self {
        Self {
            limit: self.limit,
            after: Some(token),
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The token of the next page; `None` for the last page.
    pub next: Option<PageToken>,
}

impl<T> Page<T> {
    /// Builds a page from items fetched with [`PageRequest::fetch_limit`]: a surplus item is
    /// dropped and means that a next page exists. `position` returns an item's position.
    pub fn from_overfetch<P: Serialize>(
        mut items: Vec<T>,
        request: &PageRequest,
        position: impl FnOnce(&T) -> P,
    ) -> Self {
        // The surplus item only proves that the list goes on; the next page starts with it.
        let more = items.len() > request.limit.get();
        items.truncate(request.limit.get());
        let next = items
            .last()
            .filter(|_| more)
            .map(|item| PageToken::encode_position(&position(item)));
        Self { items, next }
    }

    /// Converts every item, keeping where the next page begins.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            next: self.next,
        }
    }

    /// Converts items and drops those that convert to `None`, keeping where the next page begins.
    pub fn filter_map<U>(self, convert: impl FnMut(T) -> Option<U>) -> Page<U> {
        Page {
            items: self.items.into_iter().filter_map(convert).collect(),
            next: self.next,
        }
    }

    /// Converts every item, keeping where the next page begins, until one fails.
    ///
    /// # Errors
    /// The first error of `convert`.
    pub fn try_map<U, E>(self, convert: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        Ok(Page {
            items: self
                .items
                .into_iter()
                .map(convert)
                .collect::<Result<_, E>>()?,
            next: self.next,
        })
    }
}
