//! The keys of rows, and their parsing.
//!
//! `#` separates the parts. Asset keys, check names, run ids and numbers never contain it. A partition
//! key may contain anything, so it is the last part, or is enclosed by parts without `#`.

use chrono::{DateTime, SecondsFormat, Utc};
use precip_core::{
    key::{AssetKey, CheckKey},
    partitions::PartitionKey,
};
use precip_engine::{
    run_id::RunId,
    state::{
        EventKey, EventKind, PartitionRef, RunKey, StateError, StateErrorKind, TriggerId,
        UntriedReason,
    },
};

/// Number of buckets that an asset's latest rows are spread over. It is part of the table's layout: with
/// another number, stored rows would not be found.
pub(super) const BUCKETS: u64 = 16;

/// Number of partition keys that the runs of a day are spread over.
const RUN_SHARDS: u128 = 4;

/// The longest partition key of a row, in bytes.
const MAX_PK: usize = 2048;
/// The longest sort key of a row, in bytes.
const MAX_SK: usize = 1024;

/// The primary key of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }

    /// Returns the key if it is short enough for DynamoDB.
    ///
    /// # Errors
    /// `Conflict` when a partition key, a run key or a name makes it too long.
    pub(super) fn check_length(self) -> Result<Self, StateError> {
        if self.pk.len() <= MAX_PK && self.sk.len() <= MAX_SK {
            return Ok(self);
        }
        // Only the beginning is quoted: the key may be very long.
        let beginning: String = self.pk.chars().chain(self.sk.chars()).take(80).collect();
        Err(StateError::new(
            StateErrorKind::Conflict,
            format!(
                "`{beginning}..` is too long for a key of the table: a partition key and the names stored \
                 with it may have up to {MAX_SK} bytes together; use shorter ones"
            ),
        ))
    }
}

/// Hashes a text with 64-bit FNV-1a, which gives the same number in every process and version.
pub(super) fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Encodes a partition as a sort key. An unpartitioned asset has `#`; a key that begins with `#` or is
/// empty is prefixed with `##`, so that it differs from that.
fn partition_sk(partition: Option<&PartitionKey>) -> String {
    match partition.map(PartitionKey::as_str) {
        None => "#".to_owned(),
        Some(key) if key.is_empty() || key.starts_with('#') => format!("##{key}"),
        Some(key) => key.to_owned(),
    }
}

fn partition_of(sk: &str) -> Option<PartitionKey> {
    match sk {
        "#" => None,
        sk => Some(PartitionKey::from(sk.strip_prefix("##").unwrap_or(sk))),
    }
}

/// Encodes a partition as the end of a longer key; empty for an unpartitioned asset.
fn partition_suffix(partition: Option<&PartitionKey>) -> String {
    partition.map(|key| format!("#{key}")).unwrap_or_default()
}

fn asset_and_partition(text: &str) -> Option<(AssetKey, Option<PartitionKey>)> {
    let (asset, partition) = match text.split_once('#') {
        Some((asset, key)) => (asset, Some(PartitionKey::from(key))),
        None => (text, None),
    };
    Some((AssetKey::new(asset).ok()?, partition))
}

pub(super) fn latest_pk(asset: &AssetKey, bucket: u64) -> String {
    format!("L#{asset}#{bucket:x}")
}

pub(super) fn latest_row(asset: &AssetKey, partition: Option<&PartitionKey>) -> Key {
    let bucket = partition.map_or(0, |key| fnv1a(key.as_str()) % BUCKETS);
    Key::new(latest_pk(asset, bucket), partition_sk(partition))
}

pub(super) fn latest_row_of(target: &PartitionRef) -> Key {
    latest_row(&target.asset, target.partition.as_ref())
}

/// Parses the asset and the partition of a latest row.
pub(super) fn parse_latest(key: &Key) -> Option<(AssetKey, Option<PartitionKey>)> {
    let (asset, _) = key.pk.strip_prefix("L#")?.split_once('#')?;
    Some((AssetKey::new(asset).ok()?, partition_of(&key.sk)))
}

pub(super) fn events_pk(target: &PartitionRef) -> String {
    format!(
        "E#{}{}",
        target.asset,
        partition_suffix(target.partition.as_ref())
    )
}

fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Returns the sort key of an event. Keys sort in the order of events.
pub(super) fn event_sk(event: &EventKey) -> String {
    let kind = match event.kind {
        EventKind::Started => 0,
        EventKind::Checked => 1,
        EventKind::Failed => 2,
        EventKind::Materialized => 3,
        EventKind::Skipped => 4,
    };
    let (at, check) = (timestamp(event.at), &event.check);
    format!("{at}#{}#{:010}#{kind}#{check}", event.run, event.attempt)
}

pub(super) fn event_row(target: &PartitionRef, event: &EventKey) -> Key {
    Key::new(events_pk(target), event_sk(event))
}

pub(super) fn statuses_pk(asset: &AssetKey) -> String {
    format!("B#{asset}")
}

pub(super) fn statuses_head_row(asset: &AssetKey) -> Key {
    Key::new(statuses_pk(asset), "head")
}

pub(super) fn statuses_row(asset: &AssetKey, generation: u64, segment: u64) -> Key {
    Key::new(
        statuses_pk(asset),
        format!("s#{generation:08}#{segment:020}"),
    )
}

/// Parses the generation and the segment of a status row.
pub(super) fn parse_statuses(sk: &str) -> Option<(u64, u64)> {
    let (generation, segment) = sk.strip_prefix("s#")?.split_once('#')?;
    Some((generation.parse().ok()?, segment.parse().ok()?))
}

pub(super) fn updates_pk(asset: &AssetKey) -> String {
    format!("U#{asset}")
}

pub(super) fn updates_head_row(asset: &AssetKey) -> Key {
    Key::new(updates_pk(asset), "head")
}

pub(super) fn update_sk(number: u64) -> String {
    format!("n#{number:020}")
}

pub(super) fn update_row(asset: &AssetKey, number: u64) -> Key {
    Key::new(updates_pk(asset), update_sk(number))
}

pub(super) fn attempts_pk(asset: &AssetKey) -> String {
    format!("A#{asset}")
}

pub(super) fn attempt_row(target: &PartitionRef, run: RunId) -> Key {
    let partition = partition_sk(target.partition.as_ref());
    Key::new(attempts_pk(&target.asset), format!("{partition}#{run}"))
}

/// Parses the partition and the run of an attempt's row.
pub(super) fn parse_attempt(sk: &str) -> Option<(Option<PartitionKey>, RunId)> {
    let (partition, run) = sk.rsplit_once('#')?;
    Some((partition_of(partition), run.parse().ok()?))
}

pub(super) fn checks_pk(target: &PartitionRef) -> String {
    format!(
        "X#{}{}",
        target.asset,
        partition_suffix(target.partition.as_ref())
    )
}

pub(super) fn check_row(target: &PartitionRef, name: &str) -> Key {
    Key::new(checks_pk(target), name)
}

pub(super) fn failing_pk(asset: &AssetKey) -> String {
    format!("F#{asset}")
}

pub(super) fn failing_prefix(check: &CheckKey) -> String {
    format!("{}#", check.name)
}

pub(super) fn failing_row(asset: &AssetKey, partition: Option<&PartitionKey>, check: &str) -> Key {
    let partition = partition_sk(partition);
    Key::new(failing_pk(asset), format!("{check}#{partition}"))
}

/// Parses the partition of a row that marks it as failing a check.
pub(super) fn parse_failing(sk: &str) -> Option<Option<PartitionKey>> {
    let (_, partition) = sk.split_once('#')?;
    Some(partition_of(partition))
}

pub(super) fn run_pk(run: RunId) -> String {
    format!("R#{run}")
}

/// The sort key of a run's own row.
pub(super) const RUN: &str = "meta";

pub(super) fn run_row(run: RunId) -> Key {
    Key::new(run_pk(run), RUN)
}

/// Parses the run of a run's own row.
pub(super) fn parse_run(key: &Key) -> Option<RunId> {
    key.pk.strip_prefix("R#")?.parse().ok()
}

pub(super) const FAILURES: &str = "fail#";
pub(super) const FAILED_CHECKS: &str = "check#";
pub(super) const PROGRESS: &str = "p#";
/// Partitions that a run did not try.
pub(super) const UNTRIED: &str = "p#skip#";
/// Attempts of a run that had nothing to make.
pub(super) const SKIPPED: &str = "skip#";
pub(super) const DONE: &str = "p#done#";

pub(super) fn failure_row(run: RunId, asset: &AssetKey, partition: Option<&PartitionKey>) -> Key {
    let partition = partition_suffix(partition);
    Key::new(run_pk(run), format!("{FAILURES}{asset}{partition}"))
}

/// Returns the row of a run's attempt that had nothing to make.
pub(super) fn skipped_row(run: RunId, asset: &AssetKey, partition: Option<&PartitionKey>) -> Key {
    let partition = partition_suffix(partition);
    Key::new(run_pk(run), format!("{SKIPPED}{asset}{partition}"))
}

/// Parses the run, the asset and the partition of a failure's row.
pub(super) fn parse_failure(key: &Key) -> Option<(RunId, AssetKey, Option<PartitionKey>)> {
    parse_unpublished(key, FAILURES)
}

/// Parses the run, the asset and the partition of a skipped attempt's row.
pub(super) fn parse_skipped(key: &Key) -> Option<(RunId, AssetKey, Option<PartitionKey>)> {
    parse_unpublished(key, SKIPPED)
}

fn parse_unpublished(key: &Key, kind: &str) -> Option<(RunId, AssetKey, Option<PartitionKey>)> {
    let run = key.pk.strip_prefix("R#")?.parse().ok()?;
    let (asset, partition) = asset_and_partition(key.sk.strip_prefix(kind)?)?;
    Some((run, asset, partition))
}

pub(super) fn failed_check_row(run: RunId, target: &PartitionRef, check: &str) -> Key {
    let (asset, partition) = (&target.asset, partition_suffix(target.partition.as_ref()));
    Key::new(
        run_pk(run),
        format!("{FAILED_CHECKS}{asset}{partition}#{check}"),
    )
}

/// The kind of a run's progress bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Progress {
    /// The partitions that the run published.
    Done,
    /// The partitions that failed in the run. It may have published some of them since.
    Lost,
    /// The partitions that the run had nothing to make for. It may have published some of them since.
    Skipped,
}

pub(super) fn progress_row(run: RunId, kind: Progress, asset: &AssetKey, segment: u64) -> Key {
    let kind = match kind {
        Progress::Done => "done",
        Progress::Lost => "lost",
        Progress::Skipped => "none",
    };
    Key::new(run_pk(run), format!("p#{kind}#{asset}#{segment:020}"))
}

/// Parses the kind, the asset and the segment of a progress bitmap.
pub(super) fn parse_progress(sk: &str) -> Option<(Progress, AssetKey, u64)> {
    let mut parts = sk.strip_prefix(PROGRESS)?.split('#');
    let kind = match parts.next()? {
        "done" => Progress::Done,
        "lost" => Progress::Lost,
        "none" => Progress::Skipped,
        _ => return None,
    };
    let asset = AssetKey::new(parts.next()?).ok()?;
    Some((kind, asset, parts.next()?.parse().ok()?))
}

pub(super) fn untried_row(run: RunId, asset: &AssetKey, reason: &UntriedReason) -> Key {
    let reason = serde_json::to_string(reason).unwrap_or_default();
    let hash = fnv1a(&reason);
    Key::new(run_pk(run), format!("{UNTRIED}{asset}#{hash:016x}"))
}

/// Returns the day of a run, from its id.
pub(super) fn day_of_run(run: RunId) -> String {
    // A run's id is a ULID, which begins with the time of its creation.
    let ms = i64::try_from(run.as_ulid().timestamp_ms()).unwrap_or(i64::MAX);
    let at = DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::<Utc>::MAX_UTC);
    day_of(at)
}

pub(super) fn day_of(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

pub(super) const DAYS: &str = "RD";

pub(super) fn run_day_row(day: &str) -> Key {
    Key::new(DAYS, day)
}

pub(super) fn run_list_pks(day: &str) -> impl Iterator<Item = String> {
    (0..RUN_SHARDS).map(move |shard| format!("RL#{day}#{shard}"))
}

pub(super) fn run_list_row(run: RunId) -> Key {
    let shard = run.as_ulid().0 % RUN_SHARDS;
    Key::new(format!("RL#{}#{shard}", day_of_run(run)), run.to_string())
}

pub(super) fn run_key_row(key: &RunKey) -> Key {
    Key::new(format!("K#{key}"), "run")
}

pub(super) fn trigger_row(trigger: &TriggerId) -> Key {
    Key::new(format!("S#{trigger}"), "state")
}

pub(super) const TICKS: &str = "tick#";

pub(super) fn tick_row(trigger: &TriggerId, revision: u64) -> Key {
    Key::new(format!("S#{trigger}"), format!("{TICKS}{revision:020}"))
}

pub(super) fn dynamic_pk(set: &str) -> String {
    format!("D#{set}")
}

pub(super) fn dynamic_head_row(set: &str) -> Key {
    Key::new(dynamic_pk(set), "head")
}

pub(super) const DYNAMIC_KEYS: &str = "k#";

pub(super) fn dynamic_row(set: &str, key: &PartitionKey) -> Key {
    Key::new(dynamic_pk(set), format!("{DYNAMIC_KEYS}{key}"))
}

pub(super) fn pool_row(pool: &str) -> Key {
    Key::new(format!("C#{pool}"), "pool")
}

pub(super) const LIMITED_POOLS: &str = "CL";

pub(super) fn limited_pool_row(pool: &str) -> Key {
    Key::new(LIMITED_POOLS, pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_never_changes() {
        // Published test vectors of FNV-1a.
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn partition_keys_come_back_from_their_rows() {
        let asset = AssetKey::new("a/b").unwrap();
        // Keys that contain or resemble the separator.
        for key in ["", "#", "##", "#a", "a#b", "2024-01-01", "a|b#c"] {
            let partition = Some(PartitionKey::from(key));
            let row = latest_row(&asset, partition.as_ref());
            assert!(!row.sk.is_empty());
            assert_eq!(parse_latest(&row), Some((asset.clone(), partition.clone())));
            let run: RunId = "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap();
            let row = failure_row(run, &asset, partition.as_ref());
            let parsed = parse_failure(&row);
            assert_eq!(parsed, Some((run, asset.clone(), partition.clone())));
            let row = skipped_row(run, &asset, partition.as_ref());
            let parsed = parse_skipped(&row);
            assert_eq!(parsed, Some((run, asset.clone(), partition.clone())));
            assert_eq!(parse_failure(&row), None);
            let target = PartitionRef::new(asset.clone(), key, 3);
            let row = attempt_row(&target, run);
            assert_eq!(parse_attempt(&row.sk), Some((partition.clone(), run)));
            let row = failing_row(&asset, partition.as_ref(), "rows");
            assert_eq!(parse_failing(&row.sk), Some(partition));
        }
        let row = latest_row(&asset, None);
        assert_eq!(parse_latest(&row), Some((asset, None)));
    }

    #[test]
    fn a_key_that_is_too_long_is_refused_with_its_beginning() {
        let asset = AssetKey::new("a").unwrap();
        let long = PartitionKey::from("x".repeat(1025));
        let error = latest_row(&asset, Some(&long)).check_length().unwrap_err();
        assert_eq!(error.kind(), StateErrorKind::Conflict);
        assert!(error.to_string().contains("xxx.."), "{error}");
    }
}
