//! The rule that the order of arrival does not matter, tested on many orders.

use super::{
    Harness,
    fixtures::{
        asset_key, day_partition, failed_attempt, materialization_of, run_id, skipped_attempt,
    },
};
use crate::state::{ReadConsistency, StateResult};

/// A small deterministic generator (xorshift) of arrival orders.
struct OrderGenerator(u64);

impl OrderGenerator {
    fn next_below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// The end of a run's work on a partition.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Made,
    Failed,
    Skipped,
}

/// Materializations, failures and skips of several runs arrive in any order, each twice. Readers see
/// the data of the newest run, and a failure or a skip only if no newer attempt has ended.
pub async fn the_order_of_arrival_does_not_matter(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let mut orders = OrderGenerator(0x9e37_79b9_7f4a_7c15);
    for case in 0..60 {
        let target = day_partition("flights", case * 997);
        // Each run ends in one way: it publishes, gives up or has nothing to make at some attempt.
        let ends: Vec<_> = (1..=1 + orders.next_below(4))
            .map(|run| {
                (
                    run_id(run),
                    1 + orders.next_below(3) as u32,
                    [End::Made, End::Made, End::Failed, End::Skipped]
                        [orders.next_below(4) as usize],
                )
            })
            .collect();
        let mut arrivals: Vec<_> = ends.iter().chain(&ends).copied().collect();
        // A Fisher-Yates shuffle.
        for index in (1..arrivals.len()).rev() {
            arrivals.swap(index, orders.next_below(index as u64 + 1) as usize);
        }
        for (run, attempt, end) in &arrivals {
            match end {
                End::Made => {
                    let made = materialization_of(&target, *run, *attempt);
                    store.commit_materializations(vec![made]).await?;
                }
                End::Failed => {
                    let failure = failed_attempt(&target, *run, *attempt);
                    store.record_failures(vec![failure]).await?;
                }
                End::Skipped => {
                    let skip = skipped_attempt(&target, *run, *attempt);
                    store.record_skipped_attempts(vec![skip]).await?;
                }
            }
        }
        let newest_made = ends.iter().rfind(|(.., end)| *end == End::Made);
        let newest_other = ends
            .iter()
            .rfind(|(.., end)| *end != End::Made)
            .filter(|(run, ..)| newest_made.is_none_or(|(made, ..)| run > made));
        let newest_failed = newest_other.filter(|(.., end)| *end == End::Failed);
        let newest_skipped = newest_other.filter(|(.., end)| *end == End::Skipped);
        let latest = store
            .latest_materialization(&target, ReadConsistency::Strong)
            .await?
            .expect("something ended there");
        let expected =
            newest_made.map(|(run, attempt, _)| materialization_of(&target, *run, *attempt));
        assert_eq!(latest.published(), expected.as_ref(), "{arrivals:?}");
        let expected =
            newest_failed.map(|(run, attempt, _)| failed_attempt(&target, *run, *attempt));
        assert_eq!(latest.failure, expected, "{arrivals:?}");
        let expected =
            newest_skipped.map(|(run, attempt, _)| skipped_attempt(&target, *run, *attempt));
        assert_eq!(latest.skip, expected, "{arrivals:?}");
        h.await_projections().await;
        let statuses = store.partition_statuses(&asset_key("flights")).await?;
        let marks = (
            statuses.materialized.contains(target.ordinal),
            statuses.failed.contains(target.ordinal),
            statuses.skipped.contains(target.ordinal),
        );
        let expected = (
            newest_made.is_some(),
            newest_failed.is_some(),
            newest_skipped.is_some(),
        );
        assert_eq!(marks, expected, "{arrivals:?}");
    }
    Ok(())
}
