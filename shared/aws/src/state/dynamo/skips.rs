//! What a run did not make: what it skipped, what it gave up on, and how far it is.

use std::collections::BTreeMap;

use precip_core::{key::AssetKey, partitions::PartitionSet};
use precip_engine::{
    run_id::RunId,
    state::{
        Failure, Page, PageRequest, ReadConsistency, RunMade, RunProgress, SkipReason, Skipped,
        StateResult,
    },
};

use super::{
    call::{Guard, Op, Patience, Query},
    codec::{pack, unpack, unpack_segment},
    item::{Attributes, Item, item, number},
    keys::{self, DONE, FAILURES, PROGRESS, Progress, SKIPS},
    row::Row,
    store::DynamoStore,
};

fn skipped_of(row: &Item) -> StateResult<Skipped> {
    unpack(row, "s", "what was skipped")
}

impl DynamoStore {
    pub(super) async fn add_skips(&self, run: RunId, skipped: Vec<Skipped>) -> StateResult<()> {
        self.known_run(run).await?;
        let mut together: BTreeMap<(AssetKey, SkipReason), PartitionSet> = BTreeMap::new();
        for skip in skipped {
            *together.entry((skip.asset, skip.reason)).or_default() |= &skip.partitions;
        }
        for ((asset, reason), partitions) in together {
            let skip = Skipped {
                asset,
                partitions,
                reason,
            };
            self.add_skip(run, skip).await?;
        }
        Ok(())
    }

    async fn add_skip(&self, run: RunId, skip: Skipped) -> StateResult<()> {
        let key = keys::skip(run, &skip.asset, &skip.reason);
        let mut patience = Patience::new("put down what is skipped");
        loop {
            let known = self.table.get(&key, ReadConsistency::Strong).await?;
            let mut all = skip.clone();
            let mut revision = 0_u64;
            let mut guard = Guard::when("attribute_not_exists(pk)");
            if let Some(known) = known {
                let before = skipped_of(&known)?.partitions;
                all.partitions |= &before;
                if all.partitions == before {
                    return Ok(());
                }
                revision = known.number("rev").unwrap_or_default();
                guard = Guard::when("rev = :rev").value(":rev", number(revision));
            }
            let set = pack(&all, || format!("what run {run} skips of {}", skip.asset))?;
            let row = item(&key, [("rev", number(revision + 1)), ("s", set)]);
            if self.table.write(Op::Put(row, guard)).await?.is_done() {
                return Ok(());
            }
            patience.wait().await?;
        }
    }

    pub(super) async fn list_skips(&self, run: RunId) -> StateResult<Vec<Skipped>> {
        let query = Query::all(keys::run_pk(run)).prefix(SKIPS);
        let rows = self.table.query(query).await?;
        let mut skipped = rows
            .iter()
            .map(skipped_of)
            .collect::<StateResult<Vec<_>>>()?;
        skipped.sort_by(|a, b| (&a.asset, &a.reason).cmp(&(&b.asset, &b.reason)));
        Ok(skipped)
    }

    /// The failures on a run's record that the run has not made good. The projection takes the others
    /// away later; until then the latest row tells.
    pub(super) async fn list_failures(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<Failure>> {
        let mut after = page.place::<String>()?;
        let limit = page.look_for();
        let mut found: Vec<(String, Failure)> = Vec::new();
        loop {
            let wanted = limit - found.len();
            let query = Query::all(keys::run_pk(run)).prefix(FAILURES).limit(wanted);
            let rows = self.table.query(query.after(after.take())).await?;
            let last = rows.last().filter(|_| rows.len() == wanted);
            after = last.map(|row| row.key().sk);
            let places: Vec<_> = rows
                .iter()
                .filter_map(|row| {
                    let (_, asset, partition) = keys::parse_failure(&row.key())?;
                    Some((row, keys::latest(&asset, partition.as_ref())))
                })
                .collect();
            let keys = places.iter().map(|(_, latest)| latest.clone());
            let latest = self.table.get_many(keys, ReadConsistency::Strong).await?;
            for (row, key) in places {
                let published = latest
                    .get(&key)
                    .and_then(Row::of)
                    .and_then(|row| row.published);
                if published.is_none_or(|(by, _)| by != run) {
                    found.push((row.key().sk, unpack(row, "f", "a failure")?));
                }
            }
            if found.len() >= limit || after.is_none() {
                break;
            }
        }
        let page = Page::cut(found, page, |(sk, _)| sk.clone());
        Ok(Page {
            items: page.items.into_iter().map(|(_, failure)| failure).collect(),
            next: page.next,
        })
    }

    /// What the projection knows a run to have published. It keeps no list of what checks looked at.
    pub(super) async fn run_made(&self, run: RunId) -> StateResult<RunMade> {
        let query = Query::all(keys::run_pk(run)).prefix(DONE).eventual();
        let mut made = RunMade::default();
        for row in self.table.query(query).await? {
            if let Some((_, asset, segment)) = keys::parse_progress(&row.key().sk) {
                let set = made.assets.entry(asset).or_default();
                unpack_segment(&row, "b")?.add_to(segment, set);
            }
        }
        Ok(made)
    }

    pub(super) async fn run_progress(&self, run: RunId) -> StateResult<RunProgress> {
        let query = Query::all(keys::run_pk(run)).prefix(PROGRESS).eventual();
        let mut done: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
        let mut lost: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
        let mut skipped: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
        for row in self.table.query(query).await? {
            let sk = row.key().sk;
            if sk.starts_with(SKIPS) {
                let skip = skipped_of(&row)?;
                *skipped.entry(skip.asset).or_default() |= &skip.partitions;
            } else if let Some((kind, asset, segment)) = keys::parse_progress(&sk) {
                let sets = match kind {
                    Progress::Done => &mut done,
                    Progress::Lost => &mut lost,
                };
                let set = sets.entry(asset).or_default();
                unpack_segment(&row, "b")?.add_to(segment, set);
            }
        }
        // What was given up on and made after all is done.
        for (asset, lost) in &mut lost {
            if let Some(done) = done.get(asset) {
                *lost -= done;
            }
        }
        let count = |sets: &BTreeMap<_, PartitionSet>| sets.values().map(PartitionSet::len).sum();
        Ok(RunProgress {
            succeeded: count(&done),
            failed: count(&lost),
            skipped: count(&skipped),
        })
    }
}
