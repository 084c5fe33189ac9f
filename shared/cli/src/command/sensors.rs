//! `sensors` and `sensor`.

use std::{io::Write, path::Path};

use precip_core::{
    partitions::PartitionKey,
    plan::PartitionSelector,
    prose::shell_word,
    trigger::{
        Bucket, EventPattern, ObjectEvent, ObjectFilter, Require, SensorSource, read_events,
    },
};
use precip_engine::{
    settings::ProcessEnvironment,
    state::{Tick, TriggerState},
    trigger::{
        Decision, ObjectOptions, RunRequest, SensorDefinition, preview_objects, read_bucket,
        reset_cursor, sensor_id, trigger_status,
    },
};
use serde::Serialize;

use super::{
    ticks::describe_outcome,
    triggers::{last_tick_cells, running_label, set_running, target_label, unknown_trigger},
};
use crate::{
    args::SensorAction,
    exit::Exit,
    failure::Failure,
    launch,
    output::{Table, format_ago, write_json},
    session::Session,
};

/// One sensor, in the list and in `sensor`.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    running: bool,
    by_hand: bool,
    waits_for: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    makes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    declared_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
    /// The rule that selects its events on AWS, for this bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_pattern: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_tick: Option<Tick>,
}

/// Describes the source of a sensor's events.
fn describe_source(source: &SensorSource) -> String {
    match source {
        SensorSource::Objects(objects) => {
            let bucket = match &objects.bucket {
                Bucket::Named(name) => name.clone(),
                Bucket::Variable { name, .. } => format!("${name}"),
            };
            match &objects.filter {
                ObjectFilter::Key(template) => format!("{bucket}/{template}"),
                ObjectFilter::Between { prefix, suffix } => format!("{bucket}/{prefix}**{suffix}"),
            }
        }
        SensorSource::Assets { assets, require } => {
            let keys: Vec<String> = assets.iter().map(ToString::to_string).collect();
            let joint = match require {
                Require::All => " and ",
                Require::Any => " or ",
            };
            format!("new {}", keys.join(joint))
        }
        SensorSource::Runs { statuses, of } => {
            let statuses: Vec<String> = statuses
                .iter()
                .map(|status| format!("{status:?}").to_lowercase())
                .collect();
            let of = of
                .as_ref()
                .map_or_else(String::new, |of| format!(" of {of}"));
            format!("runs that {}{of}", statuses.join(" or "))
        }
    }
}

async fn load_row(
    session: &Session,
    sensor: &SensorDefinition,
) -> Result<(Row, TriggerState), Failure> {
    let state = session
        .store
        .trigger_state(&sensor_id(sensor.name()))
        .await?;
    let status = trigger_status(sensor.spec.default_status, &state);
    let mut row = Row {
        name: sensor.name().to_string(),
        running: status.running,
        by_hand: status.by_hand,
        waits_for: describe_source(&sensor.spec.source),
        makes: sensor.spec.target.as_ref().map(ToString::to_string),
        description: sensor.spec.description.clone(),
        declared_at: sensor.source.to_string(),
        bucket: None,
        event_pattern: None,
        last_tick: state.last_tick.clone(),
    };
    match &sensor.spec.source {
        SensorSource::Objects(objects) => {
            // The bucket's variable need not be set to list sensors.
            row.bucket = read_bucket(&objects.bucket, &ProcessEnvironment).await.ok();
            let name = row.bucket.as_deref().unwrap_or("BUCKET");
            let pattern = EventPattern::new(objects, name);
            row.event_pattern = pattern.ok().map(|pattern| pattern.as_json().clone());
        }
        SensorSource::Assets { .. } | SensorSource::Runs { .. } => {}
    }
    Ok((row, state))
}

/// Lists the sensors.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(crate) async fn list_sensors(session: &Session, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for sensor in session.definitions.sensors() {
        rows.push(load_row(session, sensor).await?.0);
    }
    if session.json {
        write_json(out, &rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        session.print_note("the project has no sensors: `#[sensor(..)]` declares one");
        return Ok(Exit::Done);
    }
    let mut table = Table::new([
        "SENSOR",
        "STATUS",
        "WAITS FOR",
        "TARGET",
        "LAST TICK",
        "OUTCOME",
    ]);
    for row in &rows {
        let target = target_label(row.makes.as_ref());
        let [at, ended] = last_tick_cells(row.last_tick.as_ref(), session.context.now);
        table.add_row([
            row.name.clone(),
            running_label(row.running, row.by_hand),
            row.waits_for.clone(),
            target,
            at,
            ended,
        ]);
    }
    table.write_to(out)?;
    Ok(Exit::Done)
}

/// Shows a sensor, starts or stops it, resets its cursor, or tests it with an event.
///
/// # Errors
/// [`Failure`] when there is no such sensor, or the event or the record cannot be read.
pub(crate) async fn handle_sensor(
    session: &Session,
    name: &str,
    event: Option<&Path>,
    action: Option<SensorAction>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let sensor = session.definitions.sensor(name).ok_or_else(|| {
        let names = session
            .definitions
            .sensors()
            .map(|sensor| sensor.name().as_str());
        unknown_trigger("sensor", name, names)
    })?;
    let id = sensor_id(name);
    let now = session.context.now;
    let store = session.store.as_ref();
    match action {
        Some(SensorAction::ResetCursor) => {
            reset_cursor(store, &id, now).await?;
            session.print_note(&format!(
                "sensor {name} no longer remembers which events it handled"
            ));
            return Ok(Exit::Done);
        }
        Some(action) => {
            let start = action == SensorAction::Start;
            return set_running(session, "sensor", name, &id, start).await;
        }
        None => {}
    }
    if let Some(event) = event {
        return preview_event(session, sensor, event, out).await;
    }
    let (row, _) = load_row(session, sensor).await?;
    if session.json {
        write_json(out, &row)?;
        return Ok(Exit::Done);
    }
    writeln!(
        out,
        "{}: {}",
        row.name,
        running_label(row.running, row.by_hand)
    )?;
    if let Some(description) = &row.description {
        writeln!(out, "{description}")?;
    }
    writeln!(out, "waits for  {}", row.waits_for)?;
    if let Some(bucket) = &row.bucket {
        writeln!(out, "bucket     {bucket}")?;
    }
    writeln!(
        out,
        "target     {}",
        row.makes.as_deref().unwrap_or("what its function requests")
    )?;
    writeln!(out, "declared   {}", row.declared_at)?;
    if let Some(pattern) = &row.event_pattern {
        writeln!(out, "on AWS     {pattern}")?;
    }
    if let Some(tick) = &row.last_tick {
        let ended = describe_outcome(&tick.outcome);
        writeln!(out, "last tick  {}: {ended}", format_ago(tick.at, now))?;
    }
    session.print_note(&format!(
        "`ticks {name}` lists its ticks, `sensor {name} --event FILE` tests it"
    ));
    Ok(Exit::Done)
}

/// The decision of a sensor about one object.
#[derive(Debug, Serialize)]
struct Preview {
    key: String,
    #[serde(flatten)]
    decision: Decision,
    requests: Vec<RequestPreview>,
}

/// A run that would be requested.
#[derive(Debug, Serialize)]
struct RequestPreview {
    selection: String,
    partitions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_key: Option<String>,
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    config: serde_json::Value,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    tags: std::collections::BTreeMap<String, String>,
}

async fn preview_event(
    session: &Session,
    sensor: &SensorDefinition,
    file: &Path,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let events = read_event_file(session, file)?;
    let ports = launch::preview_trigger_ports(session, sensor.resources.as_slice()).await?;
    let options = ObjectOptions::default();
    let decided = preview_objects(&ports, sensor, &events, options).await?;
    let target = sensor
        .spec
        .target
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let request = |request: RunRequest| RequestPreview {
        selection: request.selection.unwrap_or_else(|| target.clone()),
        partitions: request.partitions.iter().map(ToString::to_string).collect(),
        run_key: request.run_key,
        config: request.config,
        tags: request.tags,
    };
    let previews: Vec<Preview> = events
        .iter()
        .zip(decided)
        .map(|(event, (decision, requests))| Preview {
            key: event.key.clone(),
            decision,
            requests: requests.into_iter().map(request).collect(),
        })
        .collect();
    let (row, _) = load_row(session, sensor).await?;
    if session.json {
        write_json(out, &previews)?;
    } else {
        for preview in &previews {
            writeln!(
                out,
                "{}: {}",
                preview.key,
                describe_decision(&preview.decision)
            )?;
            for request in &preview.requests {
                let partitions = match request.partitions.as_slice() {
                    [] => String::new(),
                    keys => {
                        let keys = keys.iter().map(|key| PartitionKey::from(key.as_str()));
                        let selector = PartitionSelector::keys(keys).to_string();
                        format!(" --partitions {}", shell_word(&selector))
                    }
                };
                let key = request
                    .run_key
                    .as_ref()
                    .map_or_else(String::new, |key| format!(" --run-key {}", shell_word(key)));
                let selection = shell_word(&request.selection);
                writeln!(out, "  --select {selection}{partitions}{key}")?;
            }
        }
    }
    // A preview decides as if the sensor were on and watched the bucket of the event.
    if !row.running {
        let name = &row.name;
        session.print_note(&format!(
            "the sensor is off: `sensor {name} start` turns it on"
        ));
    }
    if let Some(bucket) = &row.bucket {
        let other = events.iter().find(|event| event.bucket != *bucket);
        if let Some(other) = other {
            session.print_note(&format!(
                "the event is from bucket `{}`; here the sensor watches `{bucket}`",
                other.bucket
            ));
        }
    }
    Ok(Exit::Done)
}

/// Describes a decision, to follow the name of the object.
pub(crate) fn describe_decision(decision: &Decision) -> String {
    match decision {
        Decision::Requested { .. } => "requests a run".to_owned(),
        Decision::Duplicate => "does nothing: the event was handled already".to_owned(),
        Decision::Superseded => "does nothing: a later event of the object was handled".to_owned(),
        Decision::Made => "does nothing: its partition was materialized since".to_owned(),
        Decision::Waits { reason } => format!("waits: {reason}"),
        Decision::Early { reason } => format!("is too early: {reason}"),
        Decision::Ignored { reason } => format!("is ignored: {reason}"),
        Decision::Skipped { reason } => format!("is skipped: {reason}"),
        Decision::Failed { message } => format!("fails: {message}"),
    }
}

/// Reads the events of a file. A message that cannot be read is reported, and the others are used.
fn read_event_file(session: &Session, file: &Path) -> Result<Vec<ObjectEvent>, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("failed to read `{shown}`: {error}")))?;
    let payload = serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("`{shown}` is not JSON: {error}")))?;
    let messages = read_events(&payload).map_err(|error| {
        Failure::usage(format!("`{shown}`: {error}"))
            .with_help("`events/` of the sample project has an event of each kind")
    })?;
    let mut events = Vec::new();
    for message in messages {
        match message.events {
            Ok(of_message) => events.extend(of_message),
            Err(error) => {
                let name = message.message.unwrap_or_default();
                session.print_note(&format!("message {name}: {error}"));
            }
        }
    }
    Ok(events)
}
