//! The report of a run.

use crate::{deviations::Deviations, document::Document, kind::Outcome};

/// The results of one file.
pub(crate) struct FileReport {
    file: String,
    total: usize,
    deviating: usize,
    wrong: Vec<Outcome>,
    stale: Vec<String>,
}

impl FileReport {
    /// Compares outcomes with the documented deviations.
    pub(crate) fn new(
        document: &Document,
        outcomes: Vec<Outcome>,
        deviations: &Deviations,
    ) -> Self {
        let cases = document.cases();
        // An entry is stale if it covers cases of this file, and all of them pass.
        let stale = deviations
            .of(&document.name)
            .filter(|entry| {
                let mut covered = cases
                    .iter()
                    .zip(&outcomes)
                    .filter(|(case, _)| entry.covers(case))
                    .peekable();
                covered.peek().is_some() && covered.all(|(_, outcome)| outcome.fault.is_none())
            })
            .map(|entry| entry.name())
            .collect();
        let total = outcomes.len();
        let failed = cases
            .iter()
            .zip(outcomes)
            .filter(|(_, outcome)| outcome.fault.is_some());
        let (deviating, wrong): (Vec<_>, Vec<_>) = failed.partition(|(case, _)| {
            deviations
                .of(&document.name)
                .any(|entry| entry.covers(case))
        });
        Self {
            file: document.name.clone(),
            total,
            deviating: deviating.len(),
            wrong: wrong.into_iter().map(|(_, outcome)| outcome).collect(),
            stale,
        }
    }

    /// Returns the number of wrong cases and stale deviations.
    pub(crate) fn faults(&self) -> usize {
        self.wrong.len() + self.stale.len()
    }
}

/// Prints one line per file, and with `verbose` one per wrong case.
#[expect(clippy::print_stdout, reason = "the report is the output of this test")]
pub(crate) fn print(reports: &[FileReport], verbose: bool) {
    for report in reports {
        let passed = report.total - report.wrong.len() - report.deviating;
        print!("{} {passed}/{}", report.file, report.total);
        if report.deviating > 0 {
            print!(" ({} documented deviations)", report.deviating);
        }
        println!();
        for entry in &report.stale {
            println!("  stale deviation: {entry} passes, take it out of deviations.toml");
        }
        if verbose {
            for outcome in &report.wrong {
                if let Some(fault) = &outcome.fault {
                    println!(
                        "  {}: expected {}, got {}",
                        outcome.id, fault.expected, fault.got
                    );
                }
            }
        }
    }
}
