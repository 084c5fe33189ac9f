//! `dynamic`: the keys of a dynamic partitions set.

use std::{collections::BTreeSet, io::Write};

use precip_core::{
    partitions::{PartitionKey, PartitionsDefinition},
    prose::{did_you_mean, or_list},
};

use crate::{
    args::DynamicAction, exit::Exit, failure::Failure, output::write_json, session::Session,
};

/// Lists, adds or removes the keys of a set.
///
/// # Errors
/// [`Failure`] when no asset uses the set, or the record cannot be read or written.
pub(crate) async fn handle_dynamic_set(
    session: &Session,
    set: &str,
    action: &DynamicAction,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    // A mistyped set would otherwise be created by `add`.
    let known = dynamic_set_names(session);
    if !known.contains(set) {
        let help = did_you_mean(set, known.iter().map(String::as_str)).unwrap_or_else(|| {
            if known.is_empty() {
                "no asset of this project has dynamic partitions".to_owned()
            } else {
                format!("use {}", or_list(&Vec::from_iter(&known)))
            }
        });
        let message = format!("no asset uses a dynamic partitions set `{set}`");
        return Err(Failure::usage(message).with_help(help));
    }
    match action {
        DynamicAction::List => {
            let keys = session.store.dynamic_keys(set).await?;
            let keys: Vec<&PartitionKey> = keys.iter().map(|(_, key)| key).collect();
            if session.json {
                write_json(out, &keys)?;
            } else {
                keys.iter().try_for_each(|key| writeln!(out, "{key}"))?;
            }
        }
        DynamicAction::Add { keys } => {
            let keys: Vec<PartitionKey> = keys.iter().map(|key| key.as_str().into()).collect();
            session.store.add_dynamic_keys(set, &keys).await?;
        }
        DynamicAction::Remove { keys } => {
            let keys: Vec<PartitionKey> = keys.iter().map(|key| key.as_str().into()).collect();
            session.store.remove_dynamic_keys(set, &keys).await?;
        }
    }
    Ok(Exit::Done)
}

/// Returns the names of the dynamic sets that assets use, alone or as a dimension.
fn dynamic_set_names(session: &Session) -> BTreeSet<String> {
    let graph = session.definitions.graph();
    let mut names = BTreeSet::new();
    for id in graph.ids() {
        if let Some(definition) = graph.partitions(id) {
            collect_set_names(definition, &mut names);
        }
    }
    names
}

fn collect_set_names(definition: &PartitionsDefinition, names: &mut BTreeSet<String>) {
    match definition {
        PartitionsDefinition::Dynamic(dynamic) => {
            names.insert(dynamic.name.clone());
        }
        PartitionsDefinition::Multi(multi) => {
            multi
                .dimensions()
                .for_each(|(_, dimension)| collect_set_names(dimension, names));
        }
        PartitionsDefinition::Static(_) | PartitionsDefinition::TimeWindow(_) => {}
    }
}
