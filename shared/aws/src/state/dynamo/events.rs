//! The event log of a partition: stored events, merged with those in the latest row.

use std::collections::BTreeMap;

use precip_engine::state::{
    CheckEvaluation, Event, EventKey, Materialization, Page, PageRequest, PartitionRef,
    ReadConsistency, StateResult,
};

use super::{
    call::Query,
    codec::{pack_record, unpack_record},
    item::{Item, build_item, text_value},
    keys,
    row::Row,
    store::DynamoStore,
};

/// Returns the log entries of a materialization: itself, and the checks published with it.
pub(super) fn events_of(made: Materialization) -> Vec<Event> {
    let checks = made.checks.iter().cloned();
    let mut events: Vec<Event> = checks
        .map(|found| Event::Checked(Box::new(found)))
        .collect();
    events.push(Event::Materialized(Box::new(made)));
    events
}

/// Returns the row of an event.
pub(super) fn event_row(event: &Event) -> StateResult<Item> {
    let target = event.target();
    let key = event.key();
    let record = pack_record(event, || target.to_string())?;
    let mut row = build_item(
        &keys::event_row(target, &key).check_length()?,
        [("e", record)],
    );
    if !key.check.is_empty() {
        row.insert("c".to_owned(), text_value(key.check));
    }
    Ok(row)
}

impl DynamoStore {
    /// Returns the events of the published materialization.
    async fn published_events(&self, target: &PartitionRef) -> StateResult<Vec<Event>> {
        let row = self
            .table
            .get_row(
                &keys::latest_row_of(target).check_length()?,
                ReadConsistency::Strong,
            )
            .await?;
        let made = match row.as_ref().and_then(Row::from_item) {
            Some(row) => row.materialization()?,
            None => None,
        };
        Ok(made.map(events_of).unwrap_or_default())
    }

    /// Lists the events of a partition, newest first, or only those of one check.
    pub(super) async fn list_events(
        &self,
        target: &PartitionRef,
        check: Option<&str>,
        page: &PageRequest,
    ) -> StateResult<Page<Event>> {
        let after = page.start_position::<EventKey>()?;
        let after = after.as_ref().map(keys::event_sk);
        // One more than a page holds tells that there is a next page.
        let mut query = Query::rows_of(keys::events_pk(target))
            .newest_first()
            .with_limit(page.fetch_limit())
            .starting_after(after.clone());
        if let Some(check) = check {
            query.filter = Some((
                "c = :check".to_owned(),
                (":check".to_owned(), text_value(check)),
            ));
        }
        let mut found = BTreeMap::new();
        for row in self.table.query_rows(query).await? {
            let event: Event = unpack_record(&row, "e", "an event")?;
            found.insert(keys::event_sk(&event.key()), event);
        }
        // The published materialization is archived only when it is superseded: until then its events
        // are merged in at their place in the order.
        for event in self.published_events(target).await? {
            let key = event.key();
            let sk = keys::event_sk(&key);
            let wanted = check.is_none_or(|check| key.check == check);
            if wanted && after.as_ref().is_none_or(|after| sk < *after) {
                found.insert(sk, event);
            }
        }
        let newest = found.into_values().rev().take(page.fetch_limit());
        Ok(Page::from_overfetch(newest.collect(), page, Event::key))
    }

    /// Lists the evaluations of a check on a partition, newest first.
    pub(super) async fn list_evaluations(
        &self,
        target: &PartitionRef,
        check: &str,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        let events = self.list_events(target, Some(check), page).await?;
        let evaluation = |event| match event {
            Event::Checked(found) => Some(*found),
            _ => None,
        };
        Ok(events.filter_map(evaluation))
    }
}
