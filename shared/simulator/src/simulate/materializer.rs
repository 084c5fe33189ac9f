//! The modelled materializer.

use std::rc::Rc;

use async_trait::async_trait;
use precip_core::{cost::to_f64, machine::Item, partitions::PartitionSet};
use serde_json::{Value, json};

use super::{
    assumptions::{READS_OF_A_ROW, WRITES_OF_A_CHECK},
    shared::{RUN_KEY, Shared, StepModel, row_key},
};
use crate::{
    bill::Unit,
    dynamo::Access,
    lambda::{Handler, Invocation},
    task::TaskError,
};

pub(super) struct Materializer(pub(super) Rc<Shared>);

#[async_trait(?Send)]
impl Handler for Materializer {
    async fn handle(
        &self,
        mut payload: Value,
        invocation: &Invocation,
    ) -> Result<Value, TaskError> {
        let shared = &self.0;
        let name = payload["step"].as_str().unwrap_or_default();
        let step = shared.steps.get(name).cloned();
        let step = step.ok_or_else(|| unexpected("step", name))?;
        let (partitions, assets) = requested(&step, &mut payload)?;
        if invocation.is_cold {
            // A new process reads the run's plan.
            shared.bill.add_one(Unit::S3Get);
        }
        let pool = step.pool.as_ref().and_then(|pool| shared.pools.get(pool));
        if let Some(pool) = pool {
            // One conditional write takes a slot, or is refused and charged all the same.
            shared.call_table(RUN_KEY, Access::Read, 1.0).await?;
            if !pool.borrow_mut().take(&shared.time) {
                return Err(TaskError::new("Precip.PoolFull", "every slot is taken"));
            }
            shared.call_table(RUN_KEY - 1, Access::Write, 1.0).await?;
        }
        step.begin(shared);
        let answer = self.make(&step, &partitions, &assets).await;
        step.end(shared);
        if let Some(pool) = pool {
            pool.borrow_mut().release();
            shared.call_table(RUN_KEY - 1, Access::Write, 1.0).await?;
        }
        answer
    }
}

impl Materializer {
    async fn make(
        &self,
        step: &StepModel,
        partitions: &PartitionSet,
        assets: &[usize],
    ) -> Result<Value, TaskError> {
        let shared = &self.0;
        let count = to_f64(partitions.len());
        let first = row_key(step.number, partitions.first().unwrap_or_default());
        // Its own row, and the pointers of what it loads.
        let own = count * assets.len().max(1) as f64;
        let loaded = count * step.upstream;
        let reads = (own + loaded) * READS_OF_A_ROW;
        shared.call_table(first, Access::Read, reads).await?;
        let took = step.time.draw(&mut shared.rng.borrow_mut());
        shared.time.sleep(took).await;
        shared.bill.add(Unit::S3Get, loaded);
        if step.assets.is_empty() {
            for ordinal in partitions.iter() {
                let writes = WRITES_OF_A_CHECK * step.checks as f64;
                let key = row_key(step.number, ordinal);
                shared.call_table(key, Access::Write, writes).await?;
                shared.reactor.check(step.number, ordinal, step.checks);
            }
            return Ok(json!({"materialized": 0}));
        }
        for ordinal in partitions.iter() {
            for asset in assets {
                shared.count_put();
                let key = row_key(step.number * 64 + *asset as u64, ordinal);
                shared.call_table(key, Access::Write, 1.0).await?;
                shared.made.set(shared.made.get() + 1);
                shared.unseen.set(shared.unseen.get() + 1);
                let replaced = step.recorded[*asset].contains(ordinal);
                let number = step.number * 64 + *asset as u64;
                shared.reactor.publish(number, ordinal, replaced);
            }
        }
        Ok(json!({"materialized": partitions.len() * assets.len() as u64}))
    }
}

impl StepModel {
    fn begin(&self, shared: &Shared) {
        let now = shared.time.elapsed();
        let mut running = self.running.borrow_mut();
        running.now += 1;
        running.count += 1;
        running.began.get_or_insert(now);
        let value = f64::from(running.now);
        running.timeline.record(now, value);
    }

    fn end(&self, shared: &Shared) {
        let now = shared.time.elapsed();
        let mut running = self.running.borrow_mut();
        running.now -= 1;
        running.ended = running.ended.max(now);
        let value = f64::from(running.now);
        running.timeline.record(now, value);
    }
}

/// Returns the partitions of a call, and the assets, by position in the step.
fn requested(
    step: &StepModel,
    payload: &mut Value,
) -> Result<(PartitionSet, Vec<usize>), TaskError> {
    let name = payload["step"].as_str().unwrap_or_default().to_owned();
    let all = || (0..step.assets.len()).collect();
    // Nearly every call is for one partition and the whole step.
    let taken = &payload["item"]["steps"][&name];
    let whole = taken.as_object().is_some_and(serde_json::Map::is_empty);
    let ordinal = payload["item"]["o"]
        .as_str()
        .and_then(|text| text.parse().ok());
    if let (true, Some(ordinal)) = (whole, ordinal) {
        return Ok((PartitionSet::single(ordinal), all()));
    }
    let item: Item = serde_json::from_value(payload["item"].take())
        .map_err(|error| unexpected("item", &error.to_string()))?;
    let mut steps = item.steps.iter();
    let found = steps.find(|(known, _)| known.as_str() == name);
    let Some((known, taken)) = found else {
        return Err(unexpected("step of the item", &name));
    };
    let partitions = item.partitions_of(known).cloned().unwrap_or_default();
    let assets = match &taken.part {
        None => all(),
        Some(part) => {
            let asked = |index: &usize| part.assets.contains(&step.assets[*index]);
            (0..step.assets.len()).filter(asked).collect()
        }
    };
    Ok((partitions, assets))
}

pub(super) fn unexpected(what: &str, found: &str) -> TaskError {
    TaskError::new("Precip.BadInput", format!("unexpected {what}: {found}"))
}
