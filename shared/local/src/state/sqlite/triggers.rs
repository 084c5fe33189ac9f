//! Triggers in SQLite.

use async_trait::async_trait;
use precip_engine::state::{
    Advance, Advanced, Page, PageRequest, StateError, StateResult, Tick, TickRequest, TriggerId,
    TriggerState, TriggerStore, check_tick_size, record_json,
};
use rusqlite::params;

use super::{
    SqliteStore,
    read::Read,
    write::{Write, to_integer},
};

impl Read<'_> {
    fn find_trigger(&self, id: &str) -> Result<TriggerState, StateError> {
        let sql = "SELECT revision, cursor, enabled FROM triggers WHERE id = ?1";
        let known = self.query_one(sql, [id], |row| {
            let revision: i64 = row.get(0)?;
            Ok(TriggerState {
                revision: revision.cast_unsigned(),
                cursor: row.get(1)?,
                enabled: row.get(2)?,
                last_tick: None,
            })
        })?;
        let Some(mut state) = known else {
            // A trigger that never ticked has no row.
            return Ok(TriggerState::default());
        };
        let last = self.list_ticks(id, i64::MAX, 1)?.pop();
        state.last_tick = last.map(|(_, tick)| tick);
        Ok(state)
    }

    /// Reads the ticks before a revision, newest first.
    fn list_ticks(
        &self,
        id: &str,
        before: i64,
        limit: usize,
    ) -> Result<Vec<(i64, Tick)>, StateError> {
        let sql = "SELECT revision, record FROM ticks
                   WHERE trigger_id = ?1 AND revision < ?2 ORDER BY revision DESC LIMIT ?3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<(i64, String)> = self.query_many(sql, params![id, before, limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        rows.into_iter()
            .map(|(revision, json)| Ok((revision, self.decode_record("a tick", &json)?)))
            .collect()
    }
}

impl Write<'_> {
    fn advance_trigger(&mut self, id: &str, mut advance: Advance) -> Result<Advanced, StateError> {
        let state = self.find_trigger(id)?;
        if state.revision != advance.revision {
            return Ok(Advanced::Refused(state));
        }
        // The runs are created in the transaction that advances the cursor: both happen, or neither.
        let wanted = match &mut advance.request {
            TickRequest::Runs(runs) => std::mem::take(runs),
            TickRequest::Skip { .. } | TickRequest::Fail { .. } => Vec::new(),
        };
        let runs = wanted
            .into_iter()
            .map(|run| self.create_run(run))
            .collect::<Result<Vec<_>, _>>()?;
        let revision = to_integer(state.revision + 1)?;
        let (tick, cursor) = advance.into_tick(&runs);
        self.execute_change(
            "INSERT INTO triggers (id, revision, cursor) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET revision = excluded.revision, cursor = excluded.cursor",
            params![id, revision, cursor],
        )?;
        self.execute_change(
            "INSERT INTO ticks (trigger_id, revision, record) VALUES (?1, ?2, ?3)",
            params![
                id,
                revision,
                record_json(&tick, || format!("a tick of {id}"))?
            ],
        )?;
        Ok(Advanced::Done { runs })
    }
}

#[async_trait]
impl TriggerStore for SqliteStore {
    async fn trigger_state(&self, trigger: &TriggerId) -> StateResult<TriggerState> {
        let id = trigger.to_string();
        self.run_read(move |read| read.find_trigger(&id)).await
    }

    async fn advance_trigger(
        &self,
        trigger: &TriggerId,
        advance: Advance,
    ) -> StateResult<Advanced> {
        check_tick_size(trigger, &advance)?;
        let id = trigger.to_string();
        self.run_write(move |write| write.advance_trigger(&id, advance))
            .await
    }

    async fn set_trigger_enabled(
        &self,
        trigger: &TriggerId,
        enabled: Option<bool>,
    ) -> StateResult<()> {
        let id = trigger.to_string();
        self.run_write(move |write| {
            let sql = "INSERT INTO triggers (id, revision, enabled) VALUES (?1, 0, ?2)
                       ON CONFLICT DO UPDATE SET enabled = excluded.enabled";
            write.execute_change(sql, params![id, enabled]).map(|_| ())
        })
        .await
    }

    async fn list_ticks(&self, trigger: &TriggerId, page: &PageRequest) -> StateResult<Page<Tick>> {
        let before = page.start_position::<i64>()?.unwrap_or(i64::MAX);
        let (id, page) = (trigger.to_string(), page.clone());
        self.run_read(move |read| {
            let found = read.list_ticks(&id, before, page.fetch_limit())?;
            Ok(Page::from_overfetch(found, &page, |(revision, _)| *revision).map(|(_, tick)| tick))
        })
        .await
    }
}
