//! What is on record of a partition: how it was made, the facts that were kept, and what failed since.

use std::io::{self, Write};

use precip_engine::state::{
    Failure as Failed, InputScope, InputVersion, Latest as Known, Materialization, PartitionRef,
};
use serde::Serialize;

use crate::output::{duration, fact, moment};

/// The latest state of one partition, or of an unpartitioned asset.
#[derive(Debug, Serialize)]
pub(super) struct Latest {
    #[serde(flatten)]
    target: PartitionRef,
    materialization: Option<Materialization>,
    failure: Option<Failed>,
}

impl Latest {
    pub(super) fn new(target: PartitionRef, known: Option<Known>) -> Self {
        let known = known.unwrap_or(Known {
            materialization: None,
            failure: None,
        });
        Self {
            target,
            materialization: known.materialization.map(|(made, _)| made),
            failure: known.failure,
        }
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.materialization.is_none() && self.failure.is_none() {
            return Ok(());
        }
        writeln!(out, "\n{}", self.target)?;
        if let Some(made) = &self.materialization {
            write_made(made, out)?;
        }
        if let Some(failed) = &self.failure {
            let message = std::iter::once(&failed.message).chain(&failed.causes);
            let message: Vec<&str> = message.map(String::as_str).collect();
            line(out, "failed", &moment(failed.at))?;
            line(
                out,
                "by",
                &format!("run {}, attempt {}", failed.run, failed.attempt),
            )?;
            line(out, "because", &message.join(": "))?;
        }
        Ok(())
    }
}

fn write_made(made: &Materialization, out: &mut dyn Write) -> io::Result<()> {
    let took = duration(made.finished_at - made.started_at);
    line(
        out,
        "made",
        &format!("{} in {took}", moment(made.finished_at)),
    )?;
    line(
        out,
        "by",
        &format!("run {}, attempt {}", made.run, made.attempt),
    )?;
    let from: Vec<String> = made.inputs.iter().map(input).collect();
    line(out, "from", &from.join(", "))?;
    line(out, "data version", &made.data_version)?;
    line(
        out,
        "code version",
        made.code_version.as_deref().unwrap_or_default(),
    )?;
    line(
        out,
        "stored at",
        made.pointer.as_deref().unwrap_or_default(),
    )?;
    made.metadata
        .iter()
        .try_for_each(|(name, value)| line(out, name, &fact(value)))
}

fn input(input: &InputVersion) -> String {
    match &input.scope {
        InputScope::Whole => input.asset.to_string(),
        InputScope::Partition(key) => format!("{}[{key}]", input.asset),
        InputScope::Partitions(1) => format!("1 partition of {}", input.asset),
        InputScope::Partitions(count) => format!("{count} partitions of {}", input.asset),
    }
}

/// A name and what it stands for, which may have several lines; nothing when there is nothing to say.
pub(super) fn line(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    let mut name = name;
    for text in value.lines().filter(|text| !text.trim().is_empty()) {
        writeln!(out, "  {name:<13} {text}")?;
        name = "";
    }
    Ok(())
}
