//! The event log of a partition: what is stored, merged with what stands in the latest row.

use std::collections::BTreeMap;

use precip_engine::state::{
    CheckEvaluation, Event, EventKey, Materialization, Page, PageRequest, PartitionRef,
    ReadConsistency, StateResult,
};

use super::{
    call::Query,
    codec::{pack, unpack},
    item::{Item, item, text},
    keys,
    row::Row,
    store::DynamoStore,
};

/// What a materialization is in the log: itself, and the checks that were published with it.
pub(super) fn events_of(made: Materialization) -> Vec<Event> {
    let checks = made.checks.iter().cloned();
    let mut events: Vec<Event> = checks
        .map(|found| Event::Checked(Box::new(found)))
        .collect();
    events.push(Event::Materialized(Box::new(made)));
    events
}

/// The row of an event.
pub(super) fn event_row(event: &Event) -> StateResult<Item> {
    let target = event.target();
    let key = event.key();
    let record = pack(event, || target.to_string())?;
    let mut row = item(&keys::event(target, &key).checked()?, [("e", record)]);
    if !key.check.is_empty() {
        row.insert("c".to_owned(), text(key.check));
    }
    Ok(row)
}

impl DynamoStore {
    #[expect(
        clippy::unused_self,
        reason = "it stands beside the other rows of the store"
    )]
    pub(super) fn event_row(&self, event: &Event) -> StateResult<Item> {
        event_row(event)
    }

    /// What is published, as events.
    async fn published_events(&self, target: &PartitionRef) -> StateResult<Vec<Event>> {
        let row = self
            .table
            .get(&keys::latest_of(target).checked()?, ReadConsistency::Strong)
            .await?;
        let made = match row.as_ref().and_then(Row::of) {
            Some(row) => row.materialization()?,
            None => None,
        };
        Ok(made.map(events_of).unwrap_or_default())
    }

    /// Events of a partition, newest first; of one check only, if it is named.
    pub(super) async fn list_events(
        &self,
        target: &PartitionRef,
        check: Option<&str>,
        page: &PageRequest,
    ) -> StateResult<Page<Event>> {
        let after = page.place::<EventKey>()?;
        let after = after.as_ref().map(keys::event_sk);
        let mut query = Query::all(keys::events_pk(target))
            .newest_first()
            .limit(page.look_for())
            .after(after.clone());
        if let Some(check) = check {
            query.filter = Some(("c = :check".to_owned(), (":check".to_owned(), text(check))));
        }
        let mut found = BTreeMap::new();
        for row in self.table.query(query).await? {
            let event: Event = unpack(&row, "e", "an event")?;
            found.insert(keys::event_sk(&event.key()), event);
        }
        for event in self.published_events(target).await? {
            let key = event.key();
            let sk = keys::event_sk(&key);
            let wanted = check.is_none_or(|check| key.check == check);
            if wanted && after.as_ref().is_none_or(|after| sk < *after) {
                found.insert(sk, event);
            }
        }
        let newest = found.into_values().rev().take(page.look_for());
        Ok(Page::cut(newest.collect(), page, Event::key))
    }

    /// Evaluations of a check on a partition, newest first.
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
        Ok(Page {
            items: events.items.into_iter().filter_map(evaluation).collect(),
            next: events.next,
        })
    }
}
