//! Asset checks in memory.

use std::ops::Bound;

use async_trait::async_trait;
use precip_core::{key::CheckKey, partitions::PartitionSet};

use super::{
    MemoryStore,
    tables::{Tables, place},
};
use crate::state::{
    CheckEvaluation, CheckOutcome, CheckStore, Event, EventKey, Page, PageRequest, PartitionRef,
    StateResult, record_json,
};

impl Tables {
    pub(super) fn record_check(&mut self, found: CheckEvaluation) {
        let row = self.partition_mut(&found.target);
        let newer = row
            .checks
            .get(&found.check.name)
            .is_none_or(|known| (known.run, known.attempt) <= (found.run, found.attempt));
        if newer {
            row.checks.insert(found.check.name.clone(), found.clone());
        }
        let place = (place(&found.target), found.check.name.clone());
        let run_checks = self.run_checks.entry(found.run).or_default();
        let newer = run_checks
            .get(&place)
            .is_none_or(|known| known.attempt <= found.attempt);
        if newer {
            run_checks.insert(place, found.clone());
        }
        self.log(Event::Checked(Box::new(found)));
    }
}

#[async_trait]
impl CheckStore for MemoryStore {
    async fn record_checks(&self, evaluations: Vec<CheckEvaluation>) -> StateResult<()> {
        for found in &evaluations {
            record_json(found, || format!("{} on {}", found.check, found.target))?;
        }
        let mut tables = self.tables();
        evaluations
            .into_iter()
            .for_each(|found| tables.record_check(found));
        Ok(())
    }

    async fn latest_checks(&self, target: &PartitionRef) -> StateResult<Vec<CheckEvaluation>> {
        let tables = self.tables();
        let row = tables.partition(target).into_iter();
        Ok(row.flat_map(|row| row.checks.values().cloned()).collect())
    }

    async fn check_history(
        &self,
        check: &CheckKey,
        target: &PartitionRef,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        let end = page.place::<EventKey>()?;
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        let tables = self.tables();
        let events = tables.events.get(&place(target)).into_iter();
        let found = events
            .flat_map(|events| events.range((Bound::Unbounded, end.clone())).rev())
            .filter_map(|(_, event)| match event {
                Event::Checked(found) if found.check == *check => Some((**found).clone()),
                _ => None,
            })
            .take(page.look_for())
            .collect();
        Ok(Page::cut(found, page, |found: &CheckEvaluation| {
            Event::Checked(Box::new(found.clone())).key()
        }))
    }

    async fn failing(&self, check: &CheckKey) -> StateResult<PartitionSet> {
        Ok(self.tables().ordinals(&check.asset, |row| {
            row.checks
                .get(&check.name)
                .is_some_and(|found| found.outcome != CheckOutcome::Passed)
        }))
    }
}
