//! What came before the latest materialization of a partition.

use crate::state::{Event, Materialization, PageRequest, StateResult, StateStore};

/// How many events are read at a time.
const PAGE: usize = 20;

/// Whether a materialization brought another data version than the one that was published before it.
/// The first one of a partition did.
pub(super) async fn data_version_changed(
    state: &dyn StateStore,
    made: &Materialization,
) -> StateResult<bool> {
    let mut page = PageRequest::first(PAGE);
    loop {
        let events = state.events(&made.target, &page).await?;
        let before = events.items.into_iter().find_map(|event| match event {
            Event::Materialized(before)
                if (before.run, before.attempt) < (made.run, made.attempt) =>
            {
                Some(before)
            }
            _ => None,
        });
        match (before, events.next) {
            (Some(before), _) => return Ok(before.data_version != made.data_version),
            (None, Some(token)) => page = page.after(token),
            (None, None) => return Ok(true),
        }
    }
}
