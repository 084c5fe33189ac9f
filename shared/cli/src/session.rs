//! [`Session`]: the state that every command works with.

use std::{collections::BTreeMap, sync::Arc};

use precip_core::{
    freshness::FreshnessState,
    graph::{AssetId, AssetSet},
    key::AssetKey,
    partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition},
    plan::{KeySpan, Lineage, PartitionChoice, PartitionSelector},
    prose::{did_you_mean, shell_word},
    selection::Selection,
};
use precip_engine::{
    definitions::Definitions,
    freshness::read_freshness,
    run::read_statuses,
    run_id::RunId,
    state::{PageRequest, PartitionRef, Run, RunFilter, StateStore},
};

use crate::{
    exit::Exit, failure::Failure, launch::await_run_start, output::print_stderr,
    states::PartitionStates, target::Target,
};

/// A project, its record, and the time at which a command looks at both.
#[derive(Debug, Clone)]
pub struct Session {
    /// The project's name, that of its crate; `None` when the crate is unknown.
    pub project: Option<String>,
    /// The project's definitions.
    pub definitions: Arc<Definitions>,
    /// The target: it holds state and data, and executes runs.
    pub target: Target,
    /// The name of the environment; `None` for the project's first.
    pub environment: Option<String>,
    /// The record.
    pub store: Arc<dyn StateStore>,
    /// The present time and the dynamic partition keys.
    pub context: PartitionContext,
    /// The assets whose partitions were renumbered in the record when the session was opened.
    pub renumbered: Vec<AssetKey>,
    /// True when the present time is one given with `--now`.
    pub now_overridden: bool,
    /// True when answers are JSON.
    pub json: bool,
}

impl Session {
    /// Prints a note to stderr; the answer itself goes to stdout.
    pub(crate) fn print_note(&self, line: &str) {
        print_stderr(line);
    }

    /// Returns the asset with this key.
    ///
    /// # Errors
    /// [`Failure`], with the nearest keys, when there is none.
    pub(crate) fn asset_id(&self, key: &str) -> Result<AssetId, Failure> {
        let graph = self.definitions.graph();
        graph.id_of(key).ok_or_else(|| {
            let known = graph.keys().map(AssetKey::as_str);
            let help =
                did_you_mean(key, known).unwrap_or_else(|| "`assets` lists the assets".to_owned());
            Failure::usage(format!("there is no asset `{key}`")).with_help(help)
        })
    }

    /// Returns the assets that a selection selects, perhaps none.
    ///
    /// # Errors
    /// [`Failure`], with the fault underlined, when the selection is invalid or names an unknown asset.
    pub(crate) fn resolve_selection(&self, selection: &str) -> Result<AssetSet, Failure> {
        let parsed = Selection::parse(selection)?;
        Ok(parsed.resolve(self.definitions.graph())?)
    }

    /// Returns the assets that a selection selects, and prints a warning when there are none.
    ///
    /// # Errors
    /// [`Failure`], with the fault underlined, when the selection is invalid or names an unknown asset.
    pub(crate) fn select_assets(&self, selection: &str) -> Result<AssetSet, Failure> {
        let selected = self.resolve_selection(selection)?;
        if selected.is_empty() {
            let nothing = self.empty_selection_failure(selection);
            let help = nothing.help.unwrap_or_default();
            self.print_note(&format!("warning: {}; {help}", nothing.message));
        }
        Ok(selected)
    }

    /// Returns the failure for a valid selection that selects no asset.
    pub(crate) fn empty_selection_failure(&self, selection: &str) -> Failure {
        let parsed = Selection::parse(selection)
            .map(|parsed| parsed.to_string())
            .unwrap_or_default();
        let failure = Failure::usage(format!("`{selection}` selects no asset"));
        // `tag:` takes everything up to the end as its value when that contains spaces.
        if parsed.starts_with("tag:") && selection.contains(char::is_whitespace) {
            failure.with_help(format!(
                "it is read as one tag, `{parsed}`: put values with characters other than letters, \
                 digits and `_` in double quotes, and check the operators and parentheses"
            ))
        } else if self.definitions.graph().is_empty() {
            failure.with_help("the project declares no assets")
        } else {
            failure.with_help("`assets` lists the assets with their groups and kinds")
        }
    }

    /// Returns the partitions of an asset that exist now; ordinal 0 for an unpartitioned asset.
    pub(crate) fn existing_partitions(&self, asset: AssetId) -> PartitionSet {
        match self.definitions.graph().partitions(asset) {
            Some(partitions) => partitions.all(&self.context),
            None => PartitionSet::single(0),
        }
    }

    /// Returns references to the partitions of a set, in the order of the definition. For an
    /// unpartitioned asset they have no key.
    pub(crate) fn partition_refs(&self, asset: AssetId, set: &PartitionSet) -> Vec<PartitionRef> {
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

    /// Returns the partition of an asset that the command line names.
    ///
    /// # Errors
    /// [`Failure`] when the partition does not exist, is missing, or is given for an unpartitioned asset.
    pub(crate) fn partition_ref(
        &self,
        asset: AssetId,
        partition: Option<&str>,
    ) -> Result<PartitionRef, Failure> {
        let graph = self.definitions.graph();
        let key = graph.key(asset).clone();
        match (graph.partitions(asset), partition) {
            (None, None) => Ok(PartitionRef::unpartitioned(key)),
            (Some(partitions), Some(partition)) => {
                let partition = self.read_key(partitions, partition);
                let ordinal = partitions.ordinal(&partition, &self.context)?;
                Ok(PartitionRef::new(key, partition, ordinal))
            }
            (None, Some(_)) => Err(Failure::usage(format!("asset `{key}` is not partitioned"))
                .with_help("leave `--partition` out")),
            (Some(partitions), None) => {
                // The last partition is the likeliest one.
                let example = partitions
                    .last(&self.context)
                    .and_then(|last| partitions.key(last, &self.context))
                    .map_or_else(|| "KEY".to_owned(), |key| shell_word(key.as_str()));
                Err(
                    Failure::usage(format!("asset `{key}` is partitioned: name a partition"))
                        .with_help(format!("add `--partition {example}`")),
                )
            }
        }
    }

    /// Returns the key that an argument names: as it is, or in quotes as `--partitions` takes it.
    fn read_key(&self, partitions: &PartitionsDefinition, argument: &str) -> PartitionKey {
        let plain = PartitionKey::from(argument);
        if partitions.contains(argument, &self.context) {
            return plain;
        }
        match argument
            .parse::<PartitionSelector>()
            .map(|read| read.choice)
        {
            Ok(PartitionChoice::Keys(spans)) => match spans.as_slice() {
                [KeySpan::One(key)] => key.clone(),
                _ => plain,
            },
            _ => plain,
        }
    }

    /// Returns the run that the command line names: by its id, by a prefix of it, or as `latest`. A run
    /// that was just started on AWS is awaited.
    ///
    /// # Errors
    /// [`Failure`] when no run or several runs match, or the record cannot be read.
    pub(crate) async fn find_run(&self, id: &str) -> Result<Run, Failure> {
        if let Ok(id) = id.parse::<RunId>() {
            let run = match (self.store.find_run(id).await?, &self.target) {
                // The planner records a run with its first step, a moment after the start.
                (None, Target::Aws(deployment)) => {
                    await_run_start(deployment, self.store.as_ref(), id).await?
                }
                (run, _) => run,
            };
            return run.ok_or_else(|| {
                Failure::usage(format!("there is no run `{id}`")).with_help("`runs` lists the runs")
            });
        }
        // Ids are ULIDs, in capitals on record.
        let prefix = id.to_ascii_uppercase();
        let mut found: Vec<Run> = Vec::new();
        let mut page = PageRequest::first(500);
        loop {
            let runs = self.store.list_runs(&RunFilter::default(), &page).await?;
            if id == "latest" {
                found.extend(runs.items.into_iter().next());
                break;
            }
            let matching = runs
                .items
                .into_iter()
                .filter(|run| run.id.to_string().starts_with(&prefix));
            found.extend(matching);
            match runs.next {
                Some(token) => page = page.next_page(token),
                None => break,
            }
        }
        match found.len() {
            0 => Err(Failure::usage(format!("there is no run `{id}`"))
                .with_help("`runs` lists the runs")),
            1 => Ok(found.remove(0)),
            count => Err(Failure::usage(format!("{count} runs begin with `{id}`"))
                .with_help("write more characters of the id")),
        }
    }

    /// Returns the freshness of the assets that have a policy, each by its last materialization of any
    /// partition.
    ///
    /// # Errors
    /// [`Failure`] when the record cannot be read.
    pub(crate) async fn freshness_states(
        &self,
    ) -> Result<BTreeMap<AssetKey, FreshnessState>, Failure> {
        let known = read_freshness(&self.definitions, self.store.as_ref(), &self.context).await?;
        Ok(known
            .into_iter()
            .map(|(asset, known)| (asset, known.state))
            .collect())
    }

    /// Returns the states of the partitions of some assets.
    ///
    /// # Errors
    /// [`Failure`] when the record cannot be read.
    pub(crate) async fn partition_states(
        &self,
        assets: &AssetSet,
    ) -> Result<PartitionStates, Failure> {
        let statuses = read_statuses(&self.definitions, &self.store, assets, &self.context).await?;
        let lineage = Lineage::new(self.definitions.graph(), &self.context);
        let nothing_to_make = statuses
            .nothing_to_make(lineage)
            .map_err(|error| Failure::new(Exit::Definitions, error.to_string()))?;
        Ok(PartitionStates::new(statuses, nothing_to_make))
    }
}
