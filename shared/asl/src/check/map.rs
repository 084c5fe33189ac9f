//! Map states.

use serde_json::Value;

use super::{Finding, Rule};
use crate::model::{ExecutionType, Map, ProcessorMode, State, States};

/// Finds mistakes in a map state.
pub(super) fn check_state(location: &str, state: &State, findings: &mut Vec<Finding>) {
    let State::Map(map) = state else { return };
    let mut finding = |rule, message: &str| {
        findings.push(Finding {
            location: location.to_owned(),
            rule,
            message: message.to_owned(),
        });
    };
    if map.max_concurrency.is_some() && map.max_concurrency_path.is_some() {
        finding(
            Rule::MapMode,
            "the limit is MaxConcurrency or MaxConcurrencyPath, not both",
        );
    }
    // Inline and distributed maps have different fields and limits.
    let config = map.item_processor.processor_config;
    match config.mode {
        ProcessorMode::Inline => {
            for (field, present) in [
                ("ItemReader", map.item_reader.is_some()),
                ("ResultWriter", map.result_writer.is_some()),
                ("Label", map.label.is_some()),
                (
                    "ToleratedFailurePercentage",
                    map.tolerated_failure_percentage.is_some(),
                ),
                ("ExecutionType", config.execution_type.is_some()),
            ] {
                if present {
                    let message = format!(
                        "{field} is for distributed maps: set the processor's Mode to DISTRIBUTED, \
                         or remove it"
                    );
                    finding(Rule::MapMode, &message);
                }
            }
            if map.max_concurrency.is_some_and(|limit| limit > 40) {
                finding(Rule::MapMode, "an inline map runs at most 40 items at once");
            }
        }
        ProcessorMode::Distributed => check_distributed_map(map, &mut finding),
    }
}

/// Finds mistakes in a distributed map.
fn check_distributed_map(map: &Map, finding: &mut impl FnMut(Rule, &str)) {
    if map.item_reader.is_some() && map.items_path.is_some() {
        finding(
            Rule::DistributedMap,
            "items come from ItemReader or from ItemsPath, not from both",
        );
    }
    if map.item_reader.is_none() && map.items_path.is_none() {
        finding(
            Rule::DistributedMap,
            "say where the items are: ItemReader, or ItemsPath",
        );
    }
    if map.result_writer.is_none() {
        finding(
            Rule::DistributedMap,
            "say where the results go: without a ResultWriter they have to fit into 256 KiB together",
        );
    }
    if map
        .tolerated_failure_percentage
        .is_some_and(|percentage| percentage > 100)
    {
        finding(
            Rule::DistributedMap,
            "ToleratedFailurePercentage is 0 to 100",
        );
    }
    if map.max_concurrency.is_some_and(|limit| limit > 10_000) {
        finding(
            Rule::DistributedMap,
            "a distributed map starts at most 10000 executions at once",
        );
    }
    if let Some(label) = &map.label {
        let plain = label
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if label.is_empty() || label.chars().count() > Map::MAX_LABEL_CHARS || !plain {
            finding(
                Rule::DistributedMap,
                "a Label has 1 to 40 characters, all of them letters, digits, `-` or `_`",
            );
        }
    }
    if let Some(config) = map
        .item_reader
        .as_ref()
        .and_then(|reader| reader.reader_config.as_ref())
    {
        // The reader's configuration is plain JSON here, so its keys are looked up.
        let is = |key: &str, value: &str| config.get(key).and_then(Value::as_str) == Some(value);
        let headers = config.get("CSVHeaders").and_then(Value::as_array);
        if is("InputType", "CSV")
            && !is("CSVHeaderLocation", "FIRST_ROW")
            && !(is("CSVHeaderLocation", "GIVEN") && headers.is_some_and(|h| !h.is_empty()))
        {
            finding(
                Rule::CsvHeader,
                "a CSV reader needs CSVHeaderLocation FIRST_ROW, or GIVEN with CSVHeaders",
            );
        }
    }
    match map.item_processor.processor_config.execution_type {
        None => finding(
            Rule::DistributedMap,
            "say ExecutionType EXPRESS or STANDARD",
        ),
        // An Express execution ends after five minutes, so it must not wait for anything longer.
        Some(ExecutionType::Express) if needs_standard_execution(&map.item_processor.states) => {
            finding(
                Rule::Express,
                "an Express execution cannot run distributed maps or wait for other executions: make \
             it STANDARD",
            )
        }
        Some(_) => {}
    }
}

/// Returns whether a state needs a Standard execution.
fn needs_standard_execution(states: &States) -> bool {
    states.values().any(|state| match state {
        State::Task(task) => {
            task.resource.contains(".sync") || task.resource.contains(".waitForTaskToken")
        }
        State::Map(map) => {
            map.item_processor.processor_config.mode == ProcessorMode::Distributed
                || needs_standard_execution(&map.item_processor.states)
        }
        State::Parallel(parallel) => parallel
            .branches
            .iter()
            .any(|branch| needs_standard_execution(&branch.states)),
        _ => false,
    })
}
