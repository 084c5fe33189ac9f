//! Small records for the rules, distinct wherever a rule compares them.

use chrono::{DateTime, Duration, Utc};
use precip_core::{
    key::{AssetKey, CheckKey},
    metadata::{Metadata, MetadataValue},
    spec::Severity,
};
use ulid::Ulid;

use crate::{
    asset::ErrorKind,
    run_id::RunId,
    state::{
        AttemptStart, CheckEvaluation, CheckOutcome, FailedAttempt, InputScope, InputVersion,
        Materialization, NewRun, Page, PageRequest, PartitionRef, RequestedWork, RunKey,
        SkippedAttempt, StateResult,
    },
};

/// Reads a list to its end in pages of `limit` items, and checks that no page is larger.
///
/// # Errors
/// Those of `read_page`.
///
/// # Panics
/// If a page holds more than `limit` items.
pub async fn collect_pages<T>(
    limit: usize,
    mut read_page: impl AsyncFnMut(&PageRequest) -> StateResult<Page<T>>,
) -> StateResult<Vec<T>> {
    let mut request = PageRequest::first(limit);
    let mut items = Vec::new();
    loop {
        let page = read_page(&request).await?;
        assert!(page.items.len() <= limit, "a page of {limit} items at most");
        items.extend(page.items);
        let Some(next) = page.next else {
            return Ok(items);
        };
        request = request.next_page(next);
    }
}

/// Returns a moment, in seconds after 2024-01-01.
pub fn at_second(seconds: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + Duration::seconds(1_704_067_200 + seconds)
}

/// Returns the id of the `n`th run: a greater `n` is a newer run.
pub fn run_id(n: u64) -> RunId {
    RunId::new(Ulid::from_parts(1_704_067_200_000 + n, u128::from(n)))
}

/// Returns an asset key.
///
/// # Panics
/// If the name is not a valid asset key.
pub fn asset_key(name: &str) -> AssetKey {
    AssetKey::new(name).expect("the fixture is a valid asset key")
}

/// Returns the partition `day-{n}` with ordinal `n`.
pub fn day_partition(name: &str, n: u64) -> PartitionRef {
    PartitionRef::new(asset_key(name), format!("day-{n}"), n)
}

/// Returns a new run of `flights+`.
pub fn new_run(n: u64, key: Option<&str>) -> NewRun {
    NewRun {
        id: run_id(n),
        key: key.map(RunKey::from_request),
        request: RequestedWork {
            selection: "flights+".to_owned(),
            partitions: Some("2024-01-01...2024-01-31".to_owned()),
            config: serde_json::json!({ "flights": { "limit": n } }),
            tags: [("team".to_owned(), format!("t{}", n % 2))].into(),
            ..RequestedWork::default()
        },
        plan: None,
        created_at: at_second(n.cast_signed()),
    }
}

/// Returns the start of an attempt.
pub fn attempt_start(target: &PartitionRef, run: RunId, attempt: u32) -> AttemptStart {
    AttemptStart {
        target: target.clone(),
        run,
        attempt,
        at: at_second(i64::from(attempt)),
    }
}

/// Returns a materialization with a value in every field but `checks`.
pub fn materialization_of(target: &PartitionRef, run: RunId, attempt: u32) -> Materialization {
    Materialization {
        target: target.clone(),
        run,
        attempt,
        pointer: Some(format!("{target}/{run}/{attempt}.parquet")),
        metadata: Metadata::from_iter([
            (
                "rows".to_owned(),
                MetadataValue::Int(i64::from(attempt) * 842),
            ),
            (
                "note".to_owned(),
                MetadataValue::from("gr\u{fc}n \u{1f327}"),
            ),
        ]),
        data_version: format!("{run}-{attempt}"),
        code_version: Some("2".to_owned()),
        inputs: vec![InputVersion {
            asset: asset_key("raw/flights"),
            scope: InputScope::Partitions(3),
            data_version: "abc".to_owned(),
        }],
        checks: Vec::new(),
        started_at: at_second(i64::from(attempt)),
        finished_at: at_second(i64::from(attempt) + 1),
    }
}

/// Returns a failed attempt that is not retried.
pub fn failed_attempt(target: &PartitionRef, run: RunId, attempt: u32) -> FailedAttempt {
    FailedAttempt {
        target: target.clone(),
        run,
        attempt,
        kind: ErrorKind::Retryable,
        message: format!("no file for {target}"),
        causes: vec!["404".to_owned()],
        will_retry: false,
        at: at_second(i64::from(attempt) + 1),
    }
}

/// Returns an attempt that had nothing to make.
pub fn skipped_attempt(target: &PartitionRef, run: RunId, attempt: u32) -> SkippedAttempt {
    SkippedAttempt {
        target: target.clone(),
        run,
        attempt,
        at: at_second(i64::from(attempt) + 1),
    }
}

/// Returns an evaluation of a check that does not block.
pub fn check_evaluation(
    name: &str,
    target: &PartitionRef,
    run: RunId,
    attempt: u32,
    outcome: CheckOutcome,
) -> CheckEvaluation {
    CheckEvaluation {
        check: CheckKey {
            asset: target.asset.clone(),
            name: name.to_owned(),
        },
        target: target.clone(),
        run,
        attempt,
        outcome,
        severity: Severity::Warn,
        blocking: false,
        description: Some(format!("{name} in attempt {attempt}")),
        metadata: Metadata::new(),
        at: at_second(i64::from(attempt) + 2),
    }
}
