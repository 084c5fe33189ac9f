//! Dagster's own answers, case by case.
//!
//! Reads every `*.json` of the directory in `PRECIP_VECTORS` (a relative path is looked up from the
//! workspace root; default: the committed subset in `tests/vectors/`), prints one line per file
//! (`FILE passed/total`) and fails unless each case passes or is listed in
//! `tests/vectors/deviations.toml`. `PRECIP_VECTORS_VERBOSE=1` lists the cases that fail.
//!
//! ```text
//! PRECIP_VECTORS=DIR cargo test --release --test vectors -- --nocapture
//! ```

mod asset_checks;
mod asset_selection;
mod automation;
mod backfill_waves;
mod cron_ticks;
mod definitions;
mod deviations;
mod document;
mod freshness;
mod kind;
mod multi_partitions;
mod partition_mappings;
mod report;
mod time_windows;

use std::path::{Path, PathBuf};

use deviations::Deviations;
use document::Document;
use kind::{Kind, Outcome, run};
use report::FileReport;

/// Runs all cases of one file.
type Runner = fn(&Document) -> Vec<Outcome>;

/// The module of each file.
const KINDS: [(&str, Runner); 9] = [
    (
        asset_checks::AssetChecks::FILE,
        run::<asset_checks::AssetChecks>,
    ),
    (
        asset_selection::AssetSelection::FILE,
        run::<asset_selection::AssetSelection>,
    ),
    (automation::Automation::FILE, run::<automation::Automation>),
    (
        backfill_waves::BackfillWaves::FILE,
        run::<backfill_waves::BackfillWaves>,
    ),
    (cron_ticks::CronTicks::FILE, run::<cron_ticks::CronTicks>),
    (freshness::Freshness::FILE, run::<freshness::Freshness>),
    (
        multi_partitions::MultiPartitions::FILE,
        run::<multi_partitions::MultiPartitions>,
    ),
    (
        partition_mappings::PartitionMappings::FILE,
        run::<partition_mappings::PartitionMappings>,
    ),
    (
        time_windows::TimeWindows::FILE,
        run::<time_windows::TimeWindows>,
    ),
];

#[test]
fn each_case_is_answered_as_dagster_answers_it() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = match std::env::var_os("PRECIP_VECTORS") {
        Some(given) => tests.join("../..").join(PathBuf::from(given)),
        None => tests.join("../vectors"),
    };
    let deviations = Deviations::read(&tests.join("../vectors/deviations.toml"));
    let verbose = std::env::var_os("PRECIP_VECTORS_VERBOSE").is_some_and(|value| value == "1");

    let reports: Vec<FileReport> = document::files(&directory)
        .iter()
        .map(|path| {
            let document = Document::read(path);
            let known = KINDS.iter().find(|(file, _)| *file == document.name);
            let (_, runner) = known.unwrap_or_else(|| {
                panic!(
                    "no module answers for {}: name it in KINDS or take it out",
                    path.display()
                )
            });
            FileReport::new(&document, runner(&document), &deviations)
        })
        .collect();
    report::print(&reports, verbose);
    let faults: usize = reports.iter().map(FileReport::faults).sum();
    assert!(
        faults == 0,
        "{faults} cases are answered differently (PRECIP_VECTORS_VERBOSE=1 lists them)"
    );
}
