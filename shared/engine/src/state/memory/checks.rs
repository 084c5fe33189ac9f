//! Asset checks in memory.

use std::ops::Bound;

use async_trait::async_trait;
use precip_core::{key::CheckKey, partitions::PartitionSet};

use super::{
    MemoryStore,
    tables::{Tables, target_key},
};
use crate::state::{
    CheckEvaluation, CheckOutcome, CheckStore, Event, EventKey, Page, PageRequest, PartitionRef,
    StateResult, record_json,
};

impl Tables {
    pub(super) fn record_check(&mut self, found: CheckEvaluation) {
        let row = self.partition_row_mut(&found.target);
        let newer_in_row = row
            .checks
            .get(&found.check.name)
            .is_none_or(|known| (known.run, known.attempt) <= (found.run, found.attempt));
        if newer_in_row {
            row.checks.insert(found.check.name.clone(), found.clone());
        }
        // The run keeps its own last evaluation, which decides whether the run failed.
        let key = (target_key(&found.target), found.check.name.clone());
        let run_checks = self.run_checks.entry(found.run).or_default();
        let newer_in_run = run_checks
            .get(&key)
            .is_none_or(|known| known.attempt <= found.attempt);
        if newer_in_run {
            run_checks.insert(key, found.clone());
        }
        self.log_event(Event::Checked(Box::new(found)));
    }
}

#[async_trait]
impl CheckStore for MemoryStore {
    async fn record_checks(&self, evaluations: Vec<CheckEvaluation>) -> StateResult<()> {
        // Sizes are checked first, so that nothing is written when one record is too large.
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
        let row = tables.partition_row(target).into_iter();
        Ok(row.flat_map(|row| row.checks.values().cloned()).collect())
    }

    async fn check_history(
        &self,
        check: &CheckKey,
        target: &PartitionRef,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        let end = page.start_bound::<EventKey>()?;
        let tables = self.tables();
        let events = tables.events.get(&target_key(target)).into_iter();
        let found = events
            .flat_map(|events| events.range((Bound::Unbounded, end.clone())).rev())
            .filter_map(|(_, event)| match event {
                Event::Checked(found) if found.check == *check => Some((**found).clone()),
                _ => None,
            })
            .take(page.fetch_limit())
            .collect();
        Ok(Page::from_overfetch(
            found,
            page,
            |found: &CheckEvaluation| Event::Checked(Box::new(found.clone())).key(),
        ))
    }

    async fn failing_partitions(&self, check: &CheckKey) -> StateResult<PartitionSet> {
        Ok(self.tables().ordinals_where(&check.asset, |row| {
            row.checks
                .get(&check.name)
                .is_some_and(|found| found.outcome != CheckOutcome::Passed)
        }))
    }
}
