//! [`LatestAnswer`]: the latest materialization of a partition, and the failure since.

use std::io::{self, Write};

use precip_engine::state::{
    FailedAttempt as Failed, InputScope, InputVersion, Latest as Known, Materialization,
    PartitionRef, SkippedAttempt,
};
use serde::Serialize;

use crate::output::{format_duration, format_metadata, format_time};

/// The state of one partition, or of an unpartitioned asset.
#[derive(Debug, Serialize)]
pub(super) struct LatestAnswer {
    #[serde(flatten)]
    target: PartitionRef,
    materialization: Option<Materialization>,
    failure: Option<Failed>,
    skip: Option<SkippedAttempt>,
}

impl LatestAnswer {
    pub(super) fn new(target: PartitionRef, known: Option<Known>) -> Self {
        let known = known.unwrap_or_default();
        Self {
            target,
            materialization: known.materialization.map(|(made, _)| made),
            failure: known.failure,
            skip: known.skip,
        }
    }

    /// Writes the state for people; nothing when no attempt has ended.
    pub(super) fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.materialization.is_none() && self.failure.is_none() && self.skip.is_none() {
            return Ok(());
        }
        writeln!(out, "\n{}", self.target)?;
        if let Some(made) = &self.materialization {
            write_materialization(made, out)?;
        }
        // A failure on record is newer than the materialization.
        if let Some(failed) = &self.failure {
            let reasons = std::iter::once(&failed.message).chain(&failed.causes);
            let reasons: Vec<&str> = reasons.map(String::as_str).collect();
            write_field(out, "failed", &format_time(failed.at))?;
            write_field(
                out,
                "by",
                &format!("run {}, attempt {}", failed.run, failed.attempt),
            )?;
            write_field(out, "because", &reasons.join(": "))?;
        }
        // So is a skip, which leaves the materialization as it is.
        if let Some(skip) = &self.skip {
            let by = format!("run {}, attempt {}", skip.run, skip.attempt);
            write_field(out, "skipped", &format_time(skip.at))?;
            write_field(out, "by", &by)?;
            write_field(out, "because", "there was nothing to make")?;
        }
        Ok(())
    }
}

fn write_materialization(made: &Materialization, out: &mut dyn Write) -> io::Result<()> {
    let took = format_duration(made.finished_at - made.started_at);
    write_field(
        out,
        "materialized",
        &format!("{} in {took}", format_time(made.finished_at)),
    )?;
    write_field(
        out,
        "by",
        &format!("run {}, attempt {}", made.run, made.attempt),
    )?;
    let from: Vec<String> = made.inputs.iter().map(describe_input).collect();
    write_field(out, "from", &from.join(", "))?;
    write_field(out, "data version", &made.data_version)?;
    write_field(
        out,
        "code version",
        made.code_version.as_deref().unwrap_or_default(),
    )?;
    write_field(
        out,
        "stored at",
        made.pointer.as_deref().unwrap_or_default(),
    )?;
    made.metadata
        .iter()
        .try_for_each(|(name, value)| write_field(out, name, &format_metadata(value)))
}

fn describe_input(input: &InputVersion) -> String {
    match &input.scope {
        InputScope::Whole => input.asset.to_string(),
        InputScope::Partition(key) => format!("{}[{key}]", input.asset),
        InputScope::Partitions(1) => format!("1 partition of {}", input.asset),
        InputScope::Partitions(count) => format!("{count} partitions of {}", input.asset),
    }
}

/// Writes a field. Further lines of the value are aligned below the first; an empty value writes nothing.
pub(super) fn write_field(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    let mut label = name;
    for text in value.lines().filter(|text| !text.trim().is_empty()) {
        writeln!(out, "  {label:<13} {text}")?;
        label = "";
    }
    Ok(())
}
