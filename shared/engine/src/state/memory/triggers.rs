//! Triggers in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::state::{
    Advance, Advanced, Page, PageRequest, StateResult, Tick, TickRequest, TriggerId, TriggerState,
    TriggerStore, check_tick_size,
};

#[async_trait]
impl TriggerStore for MemoryStore {
    async fn trigger_state(&self, trigger: &TriggerId) -> StateResult<TriggerState> {
        let tables = self.tables();
        let known = tables.triggers.get(trigger);
        Ok(known.map(|(state, _)| state.clone()).unwrap_or_default())
    }

    async fn advance_trigger(
        &self,
        trigger: &TriggerId,
        advance: Advance,
    ) -> StateResult<Advanced> {
        check_tick_size(trigger, &advance)?;
        let mut tables = self.tables();
        let (state, _) = tables.triggers.entry(trigger.clone()).or_default();
        // The revision makes the read and this write one step: another tick in between changes it.
        if state.revision != advance.revision {
            return Ok(Advanced::Refused(state.clone()));
        }
        let runs = match &advance.request {
            TickRequest::Runs(runs) => runs.clone(),
            TickRequest::Skip { .. } | TickRequest::Fail { .. } => Vec::new(),
        };
        let runs: Vec<_> = runs.into_iter().map(|run| tables.create_run(run)).collect();
        let (state, ticks) = tables.triggers.entry(trigger.clone()).or_default();
        let tick = advance.into_tick(&runs);
        state.revision += 1;
        state.cursor.clone_from(&tick.1);
        state.last_tick = Some(tick.0.clone());
        ticks.push(tick.0);
        Ok(Advanced::Done { runs })
    }

    async fn set_trigger_enabled(
        &self,
        trigger: &TriggerId,
        enabled: Option<bool>,
    ) -> StateResult<()> {
        let mut tables = self.tables();
        tables
            .triggers
            .entry(trigger.clone())
            .or_default()
            .0
            .enabled = enabled;
        Ok(())
    }

    async fn list_ticks(&self, trigger: &TriggerId, page: &PageRequest) -> StateResult<Page<Tick>> {
        let before = page.start_position::<usize>()?.unwrap_or(usize::MAX);
        let tables = self.tables();
        let ticks = tables.triggers.get(trigger).map(|(_, ticks)| &**ticks);
        let found = ticks
            .unwrap_or_default()
            .iter()
            .enumerate()
            .rev()
            .filter(|(index, _)| *index < before)
            .take(page.fetch_limit())
            .map(|(index, tick)| (index, tick.clone()))
            .collect();
        let page = Page::from_overfetch(found, page, |(index, _): &(usize, Tick)| *index);
        Ok(page.map(|(_, tick)| tick))
    }
}
