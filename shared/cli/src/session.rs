//! [`Session`]: what every command works with.

use std::{collections::BTreeMap, sync::Arc};

use precip_core::{
    freshness::FreshnessState,
    graph::{AssetId, AssetSet},
    key::AssetKey,
    nearest::{nearest, or_list},
    partitions::{PartitionContext, PartitionKey, PartitionSet},
    selection::Selection,
};
use precip_engine::{
    definitions::Definitions,
    freshness::look,
    run_id::RunId,
    state::{PageRequest, PartitionRef, Run, RunFilter, StateStore},
};

use crate::{failure::Failure, graph::Tally, launch::begun, place::Place};

/// A project, its record, and the moment at which a command looks at both.
#[derive(Debug)]
pub struct Session {
    /// What the project declares.
    pub definitions: Arc<Definitions>,
    /// Where state and data are, and what carries runs out.
    pub place: Place,
    /// The environment that was named; the project's first one otherwise.
    pub environment: Option<String>,
    /// The record.
    pub store: Arc<dyn StateStore>,
    /// The present moment and the dynamic keys.
    pub context: PartitionContext,
    /// Whether the moment is one that the person chose.
    pub pretended: bool,
    /// Whether answers are for machines.
    pub json: bool,
}

impl Session {
    /// Says something to the person, on stderr, beside the answer.
    #[expect(clippy::print_stderr, reason = "everything but data goes to stderr")]
    pub fn say(&self, line: &str) {
        eprintln!("{line}");
    }

    /// The asset of this key.
    ///
    /// # Errors
    /// [`Failure`], with the nearest keys, when there is none.
    pub fn asset(&self, key: &str) -> Result<AssetId, Failure> {
        let graph = self.definitions.graph();
        graph.id_of(key).ok_or_else(|| {
            let near = nearest(key, graph.keys().map(AssetKey::as_str));
            let failure = Failure::usage(format!("there is no asset `{key}`"));
            match near.as_slice() {
                [] => failure.help("`assets` lists the assets"),
                near => failure.help(format!("did you mean {}?", or_list(near))),
            }
        })
    }

    /// The assets that a selection names.
    ///
    /// # Errors
    /// [`Failure`], with the place underlined, when it names nothing or makes no sense.
    pub fn resolve(&self, selection: &str) -> Result<AssetSet, Failure> {
        let selection = Selection::parse(selection)?;
        Ok(selection.resolve(self.definitions.graph())?)
    }

    /// The same, and a word to the person when no asset is selected.
    ///
    /// # Errors
    /// [`Failure`], with the place underlined, when it names nothing or makes no sense.
    pub fn select(&self, selection: &str) -> Result<AssetSet, Failure> {
        let selected = self.resolve(selection)?;
        if selected.is_empty() {
            let nothing = self.selects_nothing(selection);
            let help = nothing.help.unwrap_or_default();
            self.say(&format!("warning: {}; {help}", nothing.message));
        }
        Ok(selected)
    }

    /// What to say of a selection that makes sense and selects no asset.
    pub fn selects_nothing(&self, selection: &str) -> Failure {
        let read = Selection::parse(selection)
            .map(|read| read.to_string())
            .unwrap_or_default();
        let failure = Failure::usage(format!("`{selection}` selects no asset"));
        if read.starts_with("tag:") && selection.contains(char::is_whitespace) {
            failure.help(format!(
                "it is read as one tag, `{read}`: put a value with other characters than letters, \
                 digits and `_` in double quotes, and check the operators and brackets"
            ))
        } else if self.definitions.graph().is_empty() {
            failure.help("the project declares no assets")
        } else {
            failure.help("`assets` lists the assets with their groups and kinds")
        }
    }

    /// The partitions of an asset that exist; ordinal 0 for an unpartitioned one.
    pub fn existing(&self, asset: AssetId) -> PartitionSet {
        match self.definitions.graph().partitions(asset) {
            Some(partitions) => partitions.all(&self.context),
            None => PartitionSet::single(0),
        }
    }

    /// The partitions of a set in the definition's own order; without a key for an unpartitioned
    /// asset.
    pub fn targets(&self, asset: AssetId, set: &PartitionSet) -> Vec<PartitionRef> {
        let graph = self.definitions.graph();
        let key = graph.key(asset);
        let Some(definition) = graph.partitions(asset) else {
            return set
                .iter()
                .map(|_| PartitionRef::unpartitioned(key.clone()))
                .collect();
        };
        let keys = definition.keys(set, &self.context);
        keys.filter_map(|partition| {
            let ordinal = definition.find(partition.as_str(), &self.context)?;
            Some(PartitionRef::new(key.clone(), partition, ordinal))
        })
        .collect()
    }

    /// A partition of an asset, as a person names it.
    ///
    /// # Errors
    /// [`Failure`] when the asset has no such partition, needs one, or has none.
    pub fn target(&self, asset: AssetId, partition: Option<&str>) -> Result<PartitionRef, Failure> {
        let graph = self.definitions.graph();
        let key = graph.key(asset).clone();
        match (graph.partitions(asset), partition) {
            (None, None) => Ok(PartitionRef::unpartitioned(key)),
            (Some(partitions), Some(partition)) => {
                let partition = PartitionKey::from(partition);
                let ordinal = partitions.ordinal(&partition, &self.context)?;
                Ok(PartitionRef::new(key, partition, ordinal))
            }
            (None, Some(_)) => Err(Failure::usage(format!("asset `{key}` is not partitioned"))
                .help("leave `--partition` out")),
            (Some(partitions), None) => {
                let example = partitions
                    .last(&self.context)
                    .and_then(|last| partitions.key(last, &self.context))
                    .map_or_else(|| "KEY".to_owned(), |key| key.to_string());
                Err(
                    Failure::usage(format!("asset `{key}` is partitioned: name a partition"))
                        .help(format!("add `--partition {example}`")),
                )
            }
        }
    }

    /// The run that a person names by its id, by the first characters of it, or as `latest`. One that was
    /// started on AWS and has not begun is waited for.
    ///
    /// # Errors
    /// [`Failure`] when no run or several runs are named so, or the record cannot be read.
    pub async fn run(&self, id: &str) -> Result<Run, Failure> {
        if let Ok(id) = id.parse::<RunId>() {
            let run = match (self.store.run(id).await?, &self.place) {
                (None, Place::Aws(deployment)) => {
                    begun(deployment, self.store.as_ref(), id).await?
                }
                (run, _) => run,
            };
            return run.ok_or_else(|| {
                Failure::usage(format!("there is no run `{id}`")).help("`runs` lists the runs")
            });
        }
        let wanted = id.to_ascii_uppercase();
        let mut found: Vec<Run> = Vec::new();
        let mut page = PageRequest::first(500);
        loop {
            let runs = self.store.runs(&RunFilter::default(), &page).await?;
            if id == "latest" {
                found.extend(runs.items.into_iter().next());
                break;
            }
            let named = runs
                .items
                .into_iter()
                .filter(|run| run.id.to_string().starts_with(&wanted));
            found.extend(named);
            match runs.next {
                Some(token) => page = page.after(token),
                None => break,
            }
        }
        match found.len() {
            0 => {
                Err(Failure::usage(format!("there is no run `{id}`")).help("`runs` lists the runs"))
            }
            1 => Ok(found.remove(0)),
            count => Err(Failure::usage(format!("{count} runs begin with `{id}`"))
                .help("write more characters of the id")),
        }
    }

    /// How fresh the assets with a freshness policy are, each by its last materialization, whichever
    /// partition that was of.
    ///
    /// # Errors
    /// [`Failure`] when the record cannot be read.
    pub async fn freshness(&self) -> Result<BTreeMap<AssetKey, FreshnessState>, Failure> {
        let known = look(&self.definitions, self.store.as_ref(), &self.context).await?;
        Ok(known
            .into_iter()
            .map(|(asset, known)| (asset, known.state))
            .collect())
    }

    /// How many partitions of an asset are in which state.
    ///
    /// # Errors
    /// [`Failure`] when the record cannot be read.
    pub async fn tally(&self, asset: AssetId) -> Result<Tally, Failure> {
        let existing = self.existing(asset);
        let statuses = self
            .store
            .statuses(self.definitions.graph().key(asset))
            .await?;
        Ok(Tally {
            materialized: (&statuses.materialized & &existing).len(),
            failed: (&statuses.failed & &existing).len(),
            total: existing.len(),
        })
    }
}
