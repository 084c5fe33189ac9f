//! Records for the rules: small, and different from each other where the rules look.

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
        AttemptStart, CheckEvaluation, CheckOutcome, Failure, InputScope, InputVersion,
        Materialization, NewRun, PartitionRef, RunKey, RunRequest,
    },
};

/// A moment, in seconds after 2024-01-01.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + Duration::seconds(1_704_067_200 + seconds)
}

/// The `n`th run: a greater `n` is a newer run.
pub fn run_id(n: u64) -> RunId {
    RunId::new(Ulid::from_parts(1_704_067_200_000 + n, u128::from(n)))
}

/// An asset.
///
/// # Panics
/// If the name is not an asset key.
pub fn asset(name: &str) -> AssetKey {
    AssetKey::new(name).expect("the fixtures name assets correctly")
}

/// The partition `day-{n}` with ordinal `n`.
pub fn day(name: &str, n: u64) -> PartitionRef {
    PartitionRef::new(asset(name), format!("day-{n}"), n)
}

/// A request for `flights+`.
pub fn new_run(n: u64, key: Option<&str>) -> NewRun {
    NewRun {
        id: run_id(n),
        key: key.map(RunKey::requested),
        request: RunRequest {
            selection: "flights+".to_owned(),
            partitions: Some("2024-01-01...2024-01-31".to_owned()),
            config: serde_json::json!({ "flights": { "limit": n } }),
            tags: [("team".to_owned(), format!("t{}", n % 2))].into(),
            ..RunRequest::default()
        },
        plan: None,
        created_at: at(n.cast_signed()),
    }
}

/// An attempt that begins.
pub fn begun(target: &PartitionRef, run: RunId, attempt: u32) -> AttemptStart {
    AttemptStart {
        target: target.clone(),
        run,
        attempt,
        at: at(i64::from(attempt)),
    }
}

/// What an attempt made, with something in every field.
pub fn made(target: &PartitionRef, run: RunId, attempt: u32) -> Materialization {
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
            asset: asset("raw/flights"),
            scope: InputScope::Partitions(3),
            data_version: "abc".to_owned(),
        }],
        checks: Vec::new(),
        started_at: at(i64::from(attempt)),
        finished_at: at(i64::from(attempt) + 1),
    }
}

/// A failure that the run gives up on.
pub fn failed(target: &PartitionRef, run: RunId, attempt: u32) -> Failure {
    Failure {
        target: target.clone(),
        run,
        attempt,
        kind: ErrorKind::Retryable,
        message: format!("no file for {target}"),
        causes: vec!["404".to_owned()],
        will_retry: false,
        at: at(i64::from(attempt) + 1),
    }
}

/// An evaluation of a check.
pub fn checked(
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
        at: at(i64::from(attempt) + 2),
    }
}
