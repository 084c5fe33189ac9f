//! `dynamic`: the keys of a dynamic partitions set.

use std::{collections::BTreeSet, io::Write};

use precip_core::{
    nearest::{nearest, or_list},
    partitions::{PartitionKey, PartitionsDefinition},
};

use crate::{args::DynamicAction, exit::Exit, failure::Failure, output::json, session::Session};

/// Lists, adds or removes keys.
///
/// # Errors
/// [`Failure`] when no asset uses the set, or the record cannot be read or written.
pub async fn dynamic(
    session: &Session,
    set: &str,
    action: &DynamicAction,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let known = sets(session);
    if !known.contains(set) {
        let near = nearest(set, known.iter().map(String::as_str));
        let failure = Failure::usage(format!("no asset uses a dynamic partitions set `{set}`"));
        return Err(match (near.as_slice(), known.is_empty()) {
            (_, true) => failure.help("no asset of this project has dynamic partitions"),
            ([], false) => failure.help(format!("there is {}", or_list(&Vec::from_iter(&known)))),
            (near, false) => failure.help(format!("did you mean {}?", or_list(near))),
        });
    }
    match action {
        DynamicAction::List => {
            let keys = session.store.partitions(set).await?;
            let keys: Vec<&PartitionKey> = keys.iter().map(|(_, key)| key).collect();
            if session.json {
                json(out, &keys)?;
            } else {
                keys.iter().try_for_each(|key| writeln!(out, "{key}"))?;
            }
        }
        DynamicAction::Add { keys } => {
            let keys: Vec<PartitionKey> = keys.iter().map(|key| key.as_str().into()).collect();
            session.store.add_partitions(set, &keys).await?;
        }
        DynamicAction::Remove { keys } => {
            let keys: Vec<PartitionKey> = keys.iter().map(|key| key.as_str().into()).collect();
            session.store.remove_partitions(set, &keys).await?;
        }
    }
    Ok(Exit::Done)
}

/// The names of the dynamic sets that assets use, as a whole or as a dimension.
pub(crate) fn sets(session: &Session) -> BTreeSet<String> {
    let graph = session.definitions.graph();
    let mut names = BTreeSet::new();
    for id in graph.ids() {
        if let Some(definition) = graph.partitions(id) {
            collect(definition, &mut names);
        }
    }
    names
}

fn collect(definition: &PartitionsDefinition, names: &mut BTreeSet<String>) {
    match definition {
        PartitionsDefinition::Dynamic(dynamic) => {
            names.insert(dynamic.name.clone());
        }
        PartitionsDefinition::Multi(multi) => {
            multi
                .dimensions()
                .for_each(|(_, dimension)| collect(dimension, names));
        }
        PartitionsDefinition::Static(_) | PartitionsDefinition::TimeWindow(_) => {}
    }
}
