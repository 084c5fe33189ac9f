//! Comparison of a materialization with the one before it.

use crate::state::{Event, Materialization, PageRequest, StateResult, StateStore};

/// The number of events read at a time.
const PAGE: usize = 20;

/// Returns `true` if a materialization has another data version than the one published before it,
/// or if it is the partition's first.
pub(super) async fn data_version_changed(
    state: &dyn StateStore,
    made: &Materialization,
) -> StateResult<bool> {
    let mut page = PageRequest::first(PAGE);
    loop {
        let events = state.partition_events(&made.target, &page).await?;
        // The log is newest first, so the first older materialization is the previous one. A run
        // that starts later may finish earlier, hence the comparison by run and attempt.
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
            (None, Some(token)) => page = page.next_page(token),
            (None, None) => return Ok(true),
        }
    }
}
