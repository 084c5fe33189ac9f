//! [`LongTexts`]: the port that keeps what is too long for the record, and the cutting of what a run
//! records.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{
    asset::AssetError,
    run::RunSession,
    run_id::RunId,
    state::{
        CheckEvaluation, Event, MAX_METADATA_BYTES, MAX_RECORD_BYTES, Materialization,
        PartitionRef, cut_error, cut_metadata, cut_text, error_fits, metadata_fits, record_json,
    },
};

/// The maximum length of the reason why a text could not be kept.
const MAX_REASON_BYTES: usize = 200;

/// Keeps texts that are too long for the record, whole.
#[async_trait]
pub trait LongTexts: Send + Sync + Debug {
    /// Keeps a text of a run under a name, which has no separators of paths. Returns where it is, such
    /// as `` `.precip/runs/../a-3-1.error.txt` ``.
    ///
    /// # Errors
    /// The reason why it could not be kept, for people.
    async fn keep_text(&self, run: RunId, name: &str, text: String) -> Result<String, String>;
}

/// Writes long texts to the log, in parts that a line of CloudWatch's logs holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoggedTexts;

/// The maximum length of a part. A line of the log has up to 256 KiB, with its other fields.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
const PART_BYTES: usize = 128 * 1024;

#[async_trait]
impl LongTexts for LoggedTexts {
    async fn keep_text(&self, run: RunId, name: &str, text: String) -> Result<String, String> {
        for (index, part) in split_text(&text, PART_BYTES).into_iter().enumerate() {
            tracing::warn!(%run, text = name, part = index + 1, "{part}");
        }
        Ok(format!("the log, as `{name}`"))
    }
}

/// Splits a text into parts of at most `most` bytes as JSON, between characters.
fn split_text(text: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        // A character takes at most six bytes as JSON.
        let mut end = rest.len().min(most / 6);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after;
    }
    parts
}

impl RunSession {
    /// Keeps a long text of an attempt, and returns the note that says where.
    async fn keep_text(
        &self,
        target: &PartitionRef,
        attempt: u32,
        kind: &str,
        text: String,
    ) -> String {
        let asset = target.asset.as_str().replace('/', ".");
        let name = format!("{asset}-{}-{attempt}.{kind}", target.ordinal);
        match self.ports.long_texts.keep_text(self.run, &name, text).await {
            Ok(location) => format!("; the whole is in {location}"),
            // The record counts: that the rest is lost must not fail the run.
            Err(reason) => format!(
                "; the whole could not be kept: {}",
                cut_text(&reason, MAX_REASON_BYTES, "")
            ),
        }
    }

    /// Cuts errors of an attempt to what a record holds, and keeps them whole elsewhere. An error that
    /// several partitions share is kept once.
    pub(super) async fn cut_errors(
        &self,
        failed: Vec<(PartitionRef, AssetError)>,
        attempt: u32,
    ) -> Vec<(PartitionRef, AssetError)> {
        let mut cut: Vec<(PartitionRef, AssetError)> = Vec::with_capacity(failed.len());
        let mut last: Option<(AssetError, AssetError)> = None;
        for (target, error) in failed {
            if error_fits(&error) {
                cut.push((target, error));
                continue;
            }
            let same = last.as_ref().filter(|(whole, _)| {
                whole.message() == error.message() && whole.causes() == error.causes()
            });
            let short = match same {
                Some((_, short)) => short.clone(),
                None => {
                    let text = format!("{error:?}\n");
                    let note = self.keep_text(&target, attempt, "error.txt", text).await;
                    cut_error(&error, &note)
                }
            };
            last = Some((error, short.clone()));
            cut.push((target, short));
        }
        cut
    }

    /// Cuts the metadata and the checks of a materialization whose record is too large, and keeps them
    /// whole elsewhere.
    ///
    /// # Errors
    /// The failure of its partition, when the record is too large all the same.
    pub(super) async fn fit_record(
        &self,
        mut made: Materialization,
    ) -> Result<Materialization, (PartitionRef, AssetError)> {
        // Nearly every record fits, and is encoded only once here.
        if check_record(&made).is_ok() {
            return Ok(made);
        }
        if !metadata_fits(&made.metadata, MAX_METADATA_BYTES) {
            let text = to_text(&made.metadata);
            let note = self.keep_text(&made.target, made.attempt, "metadata.json", text);
            let note = note.await;
            made.metadata = cut_metadata(made.metadata, MAX_METADATA_BYTES, &note);
        }
        let count = made.checks.len();
        for found in &mut made.checks {
            if !found.finding_fits(count) {
                *found = self.cut_finding(found.clone(), count).await;
            }
        }
        match check_record(&made) {
            Ok(()) => Ok(made),
            Err(error) => Err((made.target, error)),
        }
    }

    /// Cuts what checks found where the record of an evaluation is too large, and keeps it whole
    /// elsewhere.
    pub(super) async fn cut_findings(
        &self,
        evaluations: Vec<CheckEvaluation>,
    ) -> Vec<CheckEvaluation> {
        let mut cut = Vec::with_capacity(evaluations.len());
        for found in evaluations {
            let event = Event::Checked(Box::new(found.clone()));
            cut.push(match record_json(&event, || found.check.to_string()) {
                Ok(_) => found,
                Err(_) => self.cut_finding(found, 1).await,
            });
        }
        cut
    }

    async fn cut_finding(&self, found: CheckEvaluation, count: usize) -> CheckEvaluation {
        let kind = format!("{}.json", found.check.name);
        let text = to_text(&found);
        let note = self
            .keep_text(&found.target, found.attempt, &kind, text)
            .await;
        found.cut_to_fit(count, &note)
    }
}

/// Checks that the record of a materialization fits.
///
/// # Errors
/// The failure of its partition: what can be cut is cut before, so versions or the pointer take the room.
fn check_record(made: &Materialization) -> Result<(), AssetError> {
    // The event of the log is the largest record that is made of it.
    let event = Event::Materialized(Box::new(made.clone()));
    let json = record_json(&event, || made.target.to_string());
    json.map(drop).map_err(|_| {
        AssetError::terminal(format!(
            "the record of `{}` does not fit into {} KiB: its data version, those of its inputs, or \
             the pointer to its data are too long; use a digest as the data version",
            made.target,
            MAX_RECORD_BYTES / 1024,
        ))
    })
}

fn to_text(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_split_between_characters_and_lose_nothing() {
        for text in ["", "short", &"gr\u{fc}n \u{1f327} ".repeat(100)] {
            let parts = split_text(text, 60);
            assert_eq!(parts.concat(), text);
            assert!(
                parts
                    .iter()
                    .all(|part| part.len() <= 10 && !part.is_empty())
            );
        }
    }
}
