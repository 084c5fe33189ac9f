//! Triggers. A tick and the runs that it requests are created in one transaction.

use async_trait::async_trait;
use precip_engine::state::{
    Advance, Advanced, CreatedRun, NewRun, Page, PageRequest, ReadConsistency, StateResult, Tick,
    TickRequest, TriggerId, TriggerState, TriggerStore, check_tick_size,
};

use super::{
    call::{Guard, Op, Query, TRANSACT_AT_ONCE, TransactOutcome},
    codec::{pack_record, unpack_record},
    item::{Attributes, Item, build_item, number_value, text_value},
    keys::{self, TICKS},
    runs::{WRITES_PER_RUN, creation_ops},
    store::DynamoStore,
};

// The transaction of a tick holds the trigger's row, the tick's row and its runs.
const _: () =
    assert!(2 + precip_engine::state::MAX_RUNS_PER_TICK * WRITES_PER_RUN <= TRANSACT_AT_ONCE);

fn state_of(row: &Item) -> StateResult<TriggerState> {
    let last_tick = match row.get("tick") {
        Some(_) => Some(unpack_record(row, "tick", "the last tick")?),
        None => None,
    };
    Ok(TriggerState {
        revision: row.number("rev").unwrap_or_default(),
        cursor: row.text("cur").map(str::to_owned),
        enabled: row.number::<u8>("enabled").map(|enabled| enabled == 1),
        last_tick,
    })
}

impl DynamoStore {
    async fn trigger_state(&self, trigger: &TriggerId) -> StateResult<TriggerState> {
        let key = keys::trigger_row(trigger).check_length()?;
        let row = self.table.get_row(&key, ReadConsistency::Strong).await?;
        row.as_ref()
            .map_or_else(|| Ok(TriggerState::default()), state_of)
    }

    /// Finds the requested runs that exist, and prepares the writes that create the others. Of two
    /// requests with one key or id in a tick, the first creates the run.
    async fn prepare_runs(&self, runs: &[NewRun]) -> StateResult<(Vec<CreatedRun>, Vec<Op>)> {
        let mut created: Vec<CreatedRun> = Vec::with_capacity(runs.len());
        let mut ops = Vec::new();
        for new in runs {
            let same = |known: &&CreatedRun| {
                // Runs of this tick are not in the table yet.
                let run = known.run();
                run.id == new.id || (new.key.is_some() && run.key == new.key)
            };
            let earlier = created.iter().find(same);
            let known = match earlier {
                Some(earlier) => Some(earlier.run().clone()),
                None => self.find_existing_run(new.key.as_ref(), new.id).await?,
            };
            created.push(match known {
                Some(run) => CreatedRun::Existing(Box::new(run)),
                None => {
                    self.note_day(new.id).await?;
                    let run = new.clone().into_run();
                    ops.extend(creation_ops(&run)?);
                    CreatedRun::New(Box::new(run))
                }
            });
        }
        Ok((created, ops))
    }
}

#[async_trait]
impl TriggerStore for DynamoStore {
    async fn trigger_state(&self, trigger: &TriggerId) -> StateResult<TriggerState> {
        self.trigger_state(trigger).await
    }

    async fn advance_trigger(
        &self,
        trigger: &TriggerId,
        advance: Advance,
    ) -> StateResult<Advanced> {
        check_tick_size(trigger, &advance)?;
        let key = keys::trigger_row(trigger).check_length()?;
        let revision = advance.revision;
        let wanted: &[NewRun] = match &advance.request {
            TickRequest::Runs(runs) => runs,
            TickRequest::Skip { .. } | TickRequest::Fail { .. } => &[],
        };
        let mut backoff = self.table.backoff("record a tick");
        loop {
            let known = self.trigger_state(trigger).await?;
            // Someone else has recorded this revision: the caller's cursor is out of date.
            if known.revision != revision {
                return Ok(Advanced::Refused(known));
            }
            let (runs, creations) = self.prepare_runs(wanted).await?;
            let (tick, cursor) = advance.clone().into_tick(&runs);
            let record = pack_record(&tick, || format!("a tick of {trigger}"))?;
            let condition = match revision {
                0 => "attribute_not_exists(rev)",
                _ => "rev = :revision",
            };
            let mut guard = Guard::with_condition(condition)
                .with_value(":next", number_value(revision + 1))
                .with_value(":tick", record.clone());
            if revision > 0 {
                guard = guard.with_value(":revision", number_value(revision));
            }
            // Only these attributes: a person may disable the trigger at the same time.
            let mut update = "SET rev = :next, tick = :tick".to_owned();
            match cursor {
                Some(cursor) => {
                    update.push_str(", cur = :cursor");
                    guard = guard.with_value(":cursor", text_value(cursor));
                }
                None => update.push_str(" REMOVE cur"),
            }
            let row = build_item(&keys::tick_row(trigger, revision + 1), [("t", record)]);
            let mut ops = vec![
                Op::Update(key.clone(), update, guard),
                Op::Put(row, Guard::unconditional()),
            ];
            ops.extend(creations);
            if self.table.transact_ops(ops).await? == TransactOutcome::Done {
                return Ok(Advanced::Done { runs });
            }
            // Refused: another process advanced the trigger, or created one of the runs. The next pass
            // tells which.
            backoff.wait().await?;
        }
    }

    async fn set_trigger_enabled(
        &self,
        trigger: &TriggerId,
        enabled: Option<bool>,
    ) -> StateResult<()> {
        let key = keys::trigger_row(trigger).check_length()?;
        let op = match enabled {
            Some(enabled) => {
                let guard =
                    Guard::unconditional().with_value(":enabled", number_value(u8::from(enabled)));
                Op::Update(key, "SET enabled = :enabled".to_owned(), guard)
            }
            None => Op::Update(key, "REMOVE enabled".to_owned(), Guard::unconditional()),
        };
        self.table.write_op(op).await.map(drop)
    }

    async fn list_ticks(&self, trigger: &TriggerId, page: &PageRequest) -> StateResult<Page<Tick>> {
        let after = page.start_position::<String>()?;
        let query = Query::rows_of(keys::trigger_row(trigger).pk)
            .with_prefix(TICKS)
            .newest_first()
            .with_limit(page.fetch_limit());
        let rows = self.table.query_rows(query.starting_after(after)).await?;
        Page::from_overfetch(rows, page, |row| row.key().sk)
            .try_map(|row| unpack_record(&row, "t", "a tick"))
    }
}
