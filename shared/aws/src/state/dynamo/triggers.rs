//! Triggers: a tick and the runs it asks for are one transaction.

use async_trait::async_trait;
use precip_engine::state::{
    Advance, Advanced, CreatedRun, NewRun, Page, PageRequest, ReadConsistency, StateResult, Tick,
    TickRequest, TriggerId, TriggerState, TriggerStore, check_tick_size,
};

use super::{
    call::{Guard, Op, Patience, Query, TRANSACT_AT_ONCE, Transacted},
    codec::{pack, unpack},
    item::{Attributes, Item, item, number, text},
    keys::{self, TICKS},
    runs::{WRITES_OF_A_RUN, creation},
    store::DynamoStore,
};

// A tick is the trigger's row, the tick's row and its runs.
const _: () =
    assert!(2 + precip_engine::state::MAX_RUNS_PER_TICK * WRITES_OF_A_RUN <= TRANSACT_AT_ONCE);

fn state_of(row: &Item) -> StateResult<TriggerState> {
    let last_tick = match row.get("tick") {
        Some(_) => Some(unpack(row, "tick", "the last tick")?),
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
        let key = keys::trigger(trigger).checked()?;
        let row = self.table.get(&key, ReadConsistency::Strong).await?;
        row.as_ref()
            .map_or_else(|| Ok(TriggerState::default()), state_of)
    }

    /// Which of the requested runs exist, and the writes that create the others. Of two requests of
    /// one key or id in a tick, the first creates the run.
    async fn prepare(&self, runs: &[NewRun]) -> StateResult<(Vec<CreatedRun>, Vec<Op>)> {
        let mut created: Vec<CreatedRun> = Vec::with_capacity(runs.len());
        let mut ops = Vec::new();
        for new in runs {
            let same = |known: &&CreatedRun| {
                let run = known.run();
                run.id == new.id || (new.key.is_some() && run.key == new.key)
            };
            let earlier = created.iter().find(same);
            let known = match earlier {
                Some(earlier) => Some(earlier.run().clone()),
                None => self.existing(new.key.as_ref(), new.id).await?,
            };
            created.push(match known {
                Some(run) => CreatedRun::Existing(Box::new(run)),
                None => {
                    self.note_day(new.id).await?;
                    let run = new.clone().into_run();
                    ops.extend(creation(&run)?);
                    CreatedRun::New(Box::new(run))
                }
            });
        }
        Ok((created, ops))
    }
}

#[async_trait]
impl TriggerStore for DynamoStore {
    async fn trigger(&self, trigger: &TriggerId) -> StateResult<TriggerState> {
        self.trigger_state(trigger).await
    }

    async fn advance(&self, trigger: &TriggerId, advance: Advance) -> StateResult<Advanced> {
        check_tick_size(trigger, &advance)?;
        let key = keys::trigger(trigger).checked()?;
        let revision = advance.revision;
        let wanted: &[NewRun] = match &advance.request {
            TickRequest::Runs(runs) => runs,
            TickRequest::Skip { .. } | TickRequest::Fail { .. } => &[],
        };
        let mut patience = Patience::new("record a tick");
        loop {
            let known = self.trigger_state(trigger).await?;
            if known.revision != revision {
                return Ok(Advanced::Refused(known));
            }
            let (runs, creations) = self.prepare(wanted).await?;
            let (tick, cursor) = advance.clone().into_tick(&runs);
            let record = pack(&tick, || format!("a tick of {trigger}"))?;
            let condition = match revision {
                0 => "attribute_not_exists(rev)",
                _ => "rev = :revision",
            };
            let mut guard = Guard::when(condition)
                .value(":next", number(revision + 1))
                .value(":tick", record.clone());
            if revision > 0 {
                guard = guard.value(":revision", number(revision));
            }
            // Only what a tick changes: a person may turn the trigger off at the same time.
            let mut update = "SET rev = :next, tick = :tick".to_owned();
            match cursor {
                Some(cursor) => {
                    update.push_str(", cur = :cursor");
                    guard = guard.value(":cursor", text(cursor));
                }
                None => update.push_str(" REMOVE cur"),
            }
            let row = item(&keys::tick(trigger, revision + 1), [("t", record)]);
            let mut ops = vec![
                Op::Update(key.clone(), update, guard),
                Op::Put(row, Guard::none()),
            ];
            ops.extend(creations);
            if self.table.transact(ops).await? == Transacted::Done {
                return Ok(Advanced::Done { runs });
            }
            patience.wait().await?;
        }
    }

    async fn set_enabled(&self, trigger: &TriggerId, enabled: Option<bool>) -> StateResult<()> {
        let key = keys::trigger(trigger).checked()?;
        let op = match enabled {
            Some(enabled) => {
                let guard = Guard::none().value(":enabled", number(u8::from(enabled)));
                Op::Update(key, "SET enabled = :enabled".to_owned(), guard)
            }
            None => Op::Update(key, "REMOVE enabled".to_owned(), Guard::none()),
        };
        self.table.write(op).await.map(drop)
    }

    async fn ticks(&self, trigger: &TriggerId, page: &PageRequest) -> StateResult<Page<Tick>> {
        let after = page.place::<String>()?;
        let query = Query::all(keys::trigger(trigger).pk)
            .prefix(TICKS)
            .newest_first()
            .limit(page.look_for());
        let rows = self.table.query(query.after(after)).await?;
        let page = Page::cut(rows, page, |row| row.key().sk);
        let ticks = page.items.iter().map(|row| unpack(row, "t", "a tick"));
        Ok(Page {
            items: ticks.collect::<StateResult<_>>()?,
            next: page.next,
        })
    }
}
