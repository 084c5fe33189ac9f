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
    write::{Write, column},
};

impl Read<'_> {
    fn trigger(&self, id: &str) -> Result<TriggerState, StateError> {
        let sql = "SELECT revision, cursor, enabled FROM triggers WHERE id = ?1";
        let known = self.one(sql, [id], |row| {
            let revision: i64 = row.get(0)?;
            Ok(TriggerState {
                revision: revision.cast_unsigned(),
                cursor: row.get(1)?,
                enabled: row.get(2)?,
                last_tick: None,
            })
        })?;
        let Some(mut state) = known else {
            return Ok(TriggerState::default());
        };
        let last = self.list_ticks(id, i64::MAX, 1)?.pop();
        state.last_tick = last.map(|(_, tick)| tick);
        Ok(state)
    }

    /// Ticks before a revision, newest first.
    fn list_ticks(
        &self,
        id: &str,
        before: i64,
        limit: usize,
    ) -> Result<Vec<(i64, Tick)>, StateError> {
        let sql = "SELECT revision, record FROM ticks
                   WHERE trigger_id = ?1 AND revision < ?2 ORDER BY revision DESC LIMIT ?3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<(i64, String)> = self.many(sql, params![id, before, limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        rows.into_iter()
            .map(|(revision, json)| Ok((revision, self.record("a tick", &json)?)))
            .collect()
    }
}

impl Write<'_> {
    fn advance(&mut self, id: &str, mut advance: Advance) -> Result<Advanced, StateError> {
        let state = self.trigger(id)?;
        if state.revision != advance.revision {
            return Ok(Advanced::Refused(state));
        }
        let wanted = match &mut advance.request {
            TickRequest::Runs(runs) => std::mem::take(runs),
            TickRequest::Skip { .. } | TickRequest::Fail { .. } => Vec::new(),
        };
        let runs = wanted
            .into_iter()
            .map(|run| self.create_run(run))
            .collect::<Result<Vec<_>, _>>()?;
        let revision = column(state.revision + 1)?;
        let (tick, cursor) = advance.into_tick(&runs);
        self.change(
            "INSERT INTO triggers (id, revision, cursor) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET revision = excluded.revision, cursor = excluded.cursor",
            params![id, revision, cursor],
        )?;
        self.change(
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
    async fn trigger(&self, trigger: &TriggerId) -> StateResult<TriggerState> {
        let id = trigger.to_string();
        self.read(move |read| read.trigger(&id)).await
    }

    async fn advance(&self, trigger: &TriggerId, advance: Advance) -> StateResult<Advanced> {
        check_tick_size(trigger, &advance)?;
        let id = trigger.to_string();
        self.write(move |write| write.advance(&id, advance)).await
    }

    async fn set_enabled(&self, trigger: &TriggerId, enabled: Option<bool>) -> StateResult<()> {
        let id = trigger.to_string();
        self.write(move |write| {
            let sql = "INSERT INTO triggers (id, revision, enabled) VALUES (?1, 0, ?2)
                       ON CONFLICT DO UPDATE SET enabled = excluded.enabled";
            write.change(sql, params![id, enabled]).map(|_| ())
        })
        .await
    }

    async fn ticks(&self, trigger: &TriggerId, page: &PageRequest) -> StateResult<Page<Tick>> {
        let before = page.place::<i64>()?.unwrap_or(i64::MAX);
        let (id, page) = (trigger.to_string(), page.clone());
        self.read(move |read| {
            let found = read.list_ticks(&id, before, page.look_for())?;
            let page = Page::cut(found, &page, |(revision, _)| *revision);
            Ok(Page {
                items: page.items.into_iter().map(|(_, tick)| tick).collect(),
                next: page.next,
            })
        })
        .await
    }
}
