//! `sensors` and `sensor`: what starts runs when something comes or changes.

use std::{io::Write, path::Path};

use precip_core::trigger::{
    Bucket, EventPattern, ObjectEvent, ObjectFilter, Require, SensorSource, read_events,
};
use precip_engine::{
    settings::ProcessEnvironment,
    state::{Tick, TriggerState},
    trigger::{
        Decision, ObjectOptions, RunRequest, SensorDefinition, preview_objects, read_bucket,
        reset_cursor, sensor_id, status,
    },
};
use serde::Serialize;

use super::{
    ticks::outcome,
    triggers::{last, makes, on, turn, unknown},
};
use crate::{
    args::SensorAction,
    exit::Exit,
    failure::Failure,
    launch,
    output::{Table, ago, json},
    session::Session,
};

/// One sensor, in the list and by itself.
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
    /// The rule that picks its events out on AWS, for a bucket of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_pattern: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_tick: Option<Tick>,
}

/// What a sensor waits for, in a few words.
fn waits_for(source: &SensorSource) -> String {
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
            let of = of.as_ref().map(|of| format!(" of {of}"));
            format!(
                "runs that {}{}",
                statuses.join(" or "),
                of.unwrap_or_default()
            )
        }
    }
}

async fn row(session: &Session, sensor: &SensorDefinition) -> Result<(Row, TriggerState), Failure> {
    let state = session.store.trigger(&sensor_id(sensor.name())).await?;
    let status = status(sensor.spec.default_status, &state);
    let mut row = Row {
        name: sensor.name().to_string(),
        running: status.running,
        by_hand: status.by_hand,
        waits_for: waits_for(&sensor.spec.source),
        makes: sensor.spec.target.as_ref().map(ToString::to_string),
        description: sensor.spec.description.clone(),
        declared_at: sensor.source.to_string(),
        bucket: None,
        event_pattern: None,
        last_tick: state.last_tick.clone(),
    };
    if let SensorSource::Objects(objects) = &sensor.spec.source {
        row.bucket = read_bucket(&objects.bucket, &ProcessEnvironment).await.ok();
        let name = row.bucket.as_deref().unwrap_or("BUCKET");
        let pattern = EventPattern::new(objects, name);
        row.event_pattern = pattern.ok().map(|pattern| pattern.as_json().clone());
    }
    Ok((row, state))
}

/// Lists the sensors.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub async fn sensors(session: &Session, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for sensor in session.definitions.sensors() {
        rows.push(row(session, sensor).await?.0);
    }
    if session.json {
        json(out, &rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        session.say("the project has no sensors: `#[sensor(..)]` declares one");
        return Ok(Exit::Done);
    }
    let mut table = Table::new([
        "SENSOR",
        "STATUS",
        "WAITS FOR",
        "MAKES",
        "LAST TICK",
        "OUTCOME",
    ]);
    for row in &rows {
        let makes = makes(row.makes.as_ref());
        let [at, ended] = last(row.last_tick.as_ref(), session.context.now);
        table.row([
            row.name.clone(),
            on(row.running, row.by_hand),
            row.waits_for.clone(),
            makes,
            at,
            ended,
        ]);
    }
    table.write(out)?;
    Ok(Exit::Done)
}

/// Shows one sensor, turns it on or off, or tries it on an event.
///
/// # Errors
/// [`Failure`] when there is no such sensor, the event cannot be read, or the record cannot be.
pub async fn sensor(
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
        unknown("sensor", name, names)
    })?;
    let id = sensor_id(name);
    let now = session.context.now;
    let store = session.store.as_ref();
    match action {
        Some(SensorAction::ResetCursor) => {
            reset_cursor(store, &id, now).await?;
            session.say(&format!("sensor {name} forgot what it has handled"));
            return Ok(Exit::Done);
        }
        Some(action) => {
            let start = action == SensorAction::Start;
            return turn(session, "sensor", name, &id, start).await;
        }
        None => {}
    }
    if let Some(event) = event {
        return preview(session, sensor, event, out).await;
    }
    let (row, _) = row(session, sensor).await?;
    if session.json {
        json(out, &row)?;
        return Ok(Exit::Done);
    }
    writeln!(out, "{}: {}", row.name, on(row.running, row.by_hand))?;
    if let Some(description) = &row.description {
        writeln!(out, "{description}")?;
    }
    writeln!(out, "waits for  {}", row.waits_for)?;
    if let Some(bucket) = &row.bucket {
        writeln!(out, "bucket     {bucket}")?;
    }
    writeln!(
        out,
        "makes      {}",
        row.makes.as_deref().unwrap_or("what its function asks for")
    )?;
    writeln!(out, "declared   {}", row.declared_at)?;
    if let Some(pattern) = &row.event_pattern {
        writeln!(out, "on AWS     {pattern}")?;
    }
    if let Some(tick) = &row.last_tick {
        let told = outcome(&tick.outcome);
        writeln!(out, "last tick  {}: {told}", ago(tick.at, now))?;
    }
    session.say(&format!(
        "`ticks {name}` says what it did, `sensor {name} --event FILE` tries it"
    ));
    Ok(Exit::Done)
}

/// What a sensor would do for one object.
#[derive(Debug, Serialize)]
struct Preview {
    key: String,
    #[serde(flatten)]
    decision: Decision,
    requests: Vec<Request>,
}

#[derive(Debug, Serialize)]
struct Request {
    selection: String,
    partitions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_key: Option<String>,
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    config: serde_json::Value,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    tags: std::collections::BTreeMap<String, String>,
}

async fn preview(
    session: &Session,
    sensor: &SensorDefinition,
    file: &Path,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let events = read(session, file)?;
    let ports = launch::trigger_ports(session, sensor.resources.as_slice()).await?;
    let options = ObjectOptions::default();
    let decided = preview_objects(&ports, sensor, &events, options).await?;
    let target = sensor
        .spec
        .target
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let request = |request: RunRequest| Request {
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
    let (row, _) = row(session, sensor).await?;
    if session.json {
        json(out, &previews)?;
    } else {
        for preview in &previews {
            writeln!(out, "{}: {}", preview.key, told(&preview.decision))?;
            for request in &preview.requests {
                let partitions = match request.partitions.as_slice() {
                    [] => String::new(),
                    keys => format!(" --partitions {}", keys.join(",")),
                };
                let key = request
                    .run_key
                    .as_ref()
                    .map(|key| format!(" --run-key {key}"));
                let key = key.unwrap_or_default();
                writeln!(out, "  --select {}{partitions}{key}", request.selection)?;
            }
        }
    }
    if !row.running {
        let name = &row.name;
        session.say(&format!(
            "the sensor is off: `sensor {name} start` turns it on"
        ));
    }
    if let Some(bucket) = &row.bucket {
        let other = events.iter().find(|event| event.bucket != *bucket);
        if let Some(other) = other {
            session.say(&format!(
                "the event is of bucket `{}`; here the sensor watches `{bucket}`",
                other.bucket
            ));
        }
    }
    Ok(Exit::Done)
}

/// A decision in words.
pub(crate) fn told(decision: &Decision) -> String {
    match decision {
        Decision::Requested { .. } => "requests a run".to_owned(),
        Decision::Duplicate => "does nothing: the event was handled already".to_owned(),
        Decision::Superseded => "does nothing: a later event of the object was handled".to_owned(),
        Decision::Made => "does nothing: its partition was made since".to_owned(),
        Decision::Waits { reason } => format!("waits: {reason}"),
        Decision::Ignored { reason } => format!("is ignored: {reason}"),
        Decision::Skipped { reason } => format!("is skipped: {reason}"),
        Decision::Failed { message } => format!("fails: {message}"),
    }
}

/// The events of a file. A message that cannot be understood is told of, and harms no other.
fn read(session: &Session, file: &Path) -> Result<Vec<ObjectEvent>, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("failed to read `{shown}`: {error}")))?;
    let payload = serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("`{shown}` is not JSON: {error}")))?;
    let messages = read_events(&payload).map_err(|error| {
        Failure::usage(format!("`{shown}`: {error}"))
            .help("`events/` of the sample project has an event of each kind")
    })?;
    let mut events = Vec::new();
    for message in messages {
        match message.events {
            Ok(of_message) => events.extend(of_message),
            Err(error) => {
                let name = message.message.unwrap_or_default();
                session.say(&format!("message {name}: {error}"));
            }
        }
    }
    Ok(events)
}
