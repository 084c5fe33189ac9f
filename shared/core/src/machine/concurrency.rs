//! [`StageConcurrency`]: the number of functions that the stages of a wave run at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    graph::AssetGraph,
    machine::{ITEMS_PER_ROW, Item, Layout, LayoutStage, StageWork},
};

/// Events that one child execution may leave in its history. Step Functions ends an execution at
/// 25,000; the rest is left for errors of the platform.
const MOST_EVENTS_OF_ROW: usize = 20_000;

/// The number of iterations that the maps of a stage run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageConcurrency {
    /// Rows of the stage's manifest: child executions of a Distributed Map.
    pub rows_at_once: u32,
    /// Items of one row, or of the whole stage where the execution itself runs them.
    pub items_at_once: u32,
}

impl StageConcurrency {
    /// Returns the concurrency of a stage that its execution runs itself, without rows.
    pub fn inline(functions: u32) -> Self {
        Self {
            rows_at_once: 1,
            items_at_once: functions.min(ITEMS_PER_ROW as u32),
        }
    }

    /// Returns the concurrency of a stage with so many items whose rows are child executions.
    ///
    /// ```
    /// use precip_core::machine::StageConcurrency;
    ///
    /// let StageConcurrency { rows_at_once, items_at_once } = StageConcurrency::distributed(266, 100_000);
    /// assert_eq!((rows_at_once, items_at_once), (7, 38));
    /// ```
    pub fn distributed(functions: u32, items: usize) -> Self {
        let rows = functions.div_ceil(ITEMS_PER_ROW as u32);
        // Rounded down, so that all rows together stay within the number. With a function for each item
        // there is nothing to exceed.
        let items_at_once = if functions as usize >= items {
            functions.div_ceil(rows)
        } else {
            functions / rows
        };
        Self {
            rows_at_once: rows,
            items_at_once,
        }
    }
}

/// The functions that a run may invoke at once.
#[derive(Debug, Clone, Copy)]
pub struct ConcurrencyBudget<'a> {
    /// Number of functions.
    pub functions: u32,
    /// Number of slots of each pool that has a limit, by name.
    pub pools: &'a BTreeMap<String, u32>,
}

impl ConcurrencyBudget<'_> {
    /// Divides the functions among the stages of a wave, which run side by side. Returns the number of
    /// each.
    ///
    /// No stage gets more functions than it has items, or than its pools have slots: an item that
    /// waits for a slot costs a poll of its function, and three events of a history that ends at
    /// 25,000. Stages that share a pool share its slots. Every stage gets at least one function.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use precip_core::{
    ///     graph::AssetGraph,
    ///     machine::{ConcurrencyBudget, Layout, StageWork},
    ///     spec::{AssetSpec, OpSpec},
    /// };
    ///
    /// let mut flights = OpSpec::single(AssetSpec::new("flights".parse()?));
    /// flights.pool = Some("airline_api".to_owned());
    /// let graph = AssetGraph::new(vec![flights], vec![])?;
    /// let layout = Layout::from_graph(&graph)?;
    /// let item = serde_json::from_str(r#"{"o":"0","steps":{"flights":{}}}"#)?;
    /// let work = StageWork { stage: 0, items: vec![item; 1_000] };
    ///
    /// let pools = BTreeMap::from([("airline_api".to_owned(), 5)]);
    /// let budget = ConcurrencyBudget { functions: 800, pools: &pools };
    /// assert_eq!(budget.divide(&[work], &layout, &graph), [5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn divide(&self, wave: &[StageWork], layout: &Layout, graph: &AssetGraph) -> Vec<u32> {
        let stages: Vec<&LayoutStage> =
            wave.iter().map(|work| &layout.stages[work.stage]).collect();
        let mut users: BTreeMap<&str, u32> = BTreeMap::new();
        for pool in stages.iter().flat_map(|stage| stage.pools(graph)) {
            *users.entry(pool).or_default() += 1;
        }
        let limits = stages.iter().zip(wave).map(|(stage, work)| {
            if stage.in_order {
                return 1;
            }
            let slots = stage.pools(graph).into_iter().filter_map(|pool| {
                let slots = self.pools.get(pool)?;
                Some(slots / users[pool])
            });
            let items = u32::try_from(work.items.len()).unwrap_or(u32::MAX);
            slots.min().unwrap_or(items).min(items).max(1)
        });
        divide_evenly(self.functions, &limits.collect::<Vec<u32>>())
    }
}

/// Divides functions evenly among stages. What a stage cannot use is left to the others.
fn divide_evenly(functions: u32, limits: &[u32]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..limits.len()).collect();
    order.sort_by_key(|index| limits[*index]);
    let mut shares = vec![0; limits.len()];
    let mut left = functions;
    let mut stages_left = u32::try_from(limits.len()).unwrap_or(u32::MAX);
    // The stages that need least come first: each takes at most its part of what is left.
    for index in order {
        let share = (left / stages_left).clamp(1, limits[index]);
        shares[index] = share;
        left = left.saturating_sub(share);
        stages_left -= 1;
    }
    shares
}

impl LayoutStage {
    /// Returns the pools of the stage's ops, each once.
    fn pools<'a>(&self, graph: &'a AssetGraph) -> Vec<&'a str> {
        let ops = self
            .steps
            .iter()
            .filter_map(|step| graph.op_named(&step.op));
        let mut pools: Vec<&str> = ops.filter_map(|op| op.pool.as_deref()).collect();
        pools.sort_unstable();
        pools.dedup();
        pools
    }

    /// Returns the number of items in a row of the stage's manifest.
    ///
    /// A row's child execution may be Express, which ends after five minutes: so its items must not
    /// wait for each other, unless they have to run in order or use a pool, whose children are
    /// Standard. And its history must hold the events of all its items, however often they fail.
    pub fn items_per_row(
        &self,
        items: &[Item],
        concurrency: StageConcurrency,
        graph: &AssetGraph,
    ) -> usize {
        let events = items.iter().map(|item| self.most_events(item, graph));
        let fitting = MOST_EVENTS_OF_ROW / events.max().unwrap_or(1).max(1);
        let together = if self.in_order || !self.pools(graph).is_empty() {
            ITEMS_PER_ROW
        } else {
            concurrency.items_at_once as usize
        };
        together.min(fitting).clamp(1, ITEMS_PER_ROW)
    }
}
