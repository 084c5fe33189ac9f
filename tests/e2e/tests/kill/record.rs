//! The record of the sample project, compared with the stored data.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use precip::io::{ObjectStoreIoManager, Value};
use precip_core::plan::Plan;
use precip_engine::{
    definitions::Definitions,
    io::{Address, IoManager, LoadRequest},
    run::partition_context,
    run_id::RunId,
    state::{
        Event, Materialization, PageRequest, PartitionRef, ReadConsistency, Run, RunFilter,
        RunStatus, StateStore,
    },
};
use precip_local::home::Home;
use precip_tests::Project;

/// The record and the data of a home, read directly.
pub(crate) struct Record {
    definitions: Definitions,
    home: Home,
    store: Arc<dyn StateStore>,
    data: ObjectStoreIoManager,
}

impl Record {
    pub(crate) fn open(project: &Project) -> Self {
        let home = Home::of_project(Path::new(""), Some(&project.home()));
        let store = home.open_state().unwrap();
        Self {
            definitions: flights::definitions().unwrap(),
            store: Arc::new(store),
            data: ObjectStoreIoManager::open(&home.data_folder().to_string_lossy()).unwrap(),
            home,
        }
    }

    /// Lists the runs, newest first.
    pub(crate) async fn list_runs(&self) -> Vec<Run> {
        let (filter, page) = (RunFilter::default(), PageRequest::first(100));
        self.store.list_runs(&filter, &page).await.unwrap().items
    }

    /// Returns every (asset, partition) of a run's plan.
    pub(crate) async fn planned_targets(&self, run: RunId) -> Vec<PartitionRef> {
        let path = self
            .home
            .runs_folder()
            .join(run.to_string())
            .join("plan.json");
        let plan: Plan = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let context = partition_context(&self.definitions, &self.store, plan.at)
            .await
            .unwrap();
        let graph = self.definitions.graph();
        let mut planned = Vec::new();
        for (_, stage, step) in plan.steps() {
            for asset in &step.assets {
                let definition = graph.id(asset).and_then(|id| graph.partitions(id));
                planned.extend(stage.partitions.iter().map(|ordinal| match definition {
                    None => PartitionRef::unpartitioned(asset.clone()),
                    Some(definition) => {
                        let key = definition.key(ordinal, &context).unwrap();
                        PartitionRef::new(asset.clone(), key, ordinal)
                    }
                }));
            }
        }
        planned
    }

    /// Returns a partition's table as CSV, the run that published it, and all its materializations.
    pub(crate) async fn read_published(
        &self,
        target: &PartitionRef,
    ) -> (String, RunId, Vec<Materialization>) {
        let latest = self
            .store
            .latest_materialization(target, ReadConsistency::Strong)
            .await
            .unwrap();
        let latest = latest.unwrap_or_else(|| panic!("{target} is not recorded"));
        let made = latest
            .published()
            .unwrap_or_else(|| panic!("{target} is not published"));
        let pointer = made.pointer.as_ref().unwrap();
        let address = Address {
            asset: target.asset.clone(),
            partition: target.partition.clone(),
            run: made.run,
            attempt: made.attempt,
        };
        let request = LoadRequest::everything();
        let value = self.data.load(&address, pointer, &request).await;
        let value = value.unwrap_or_else(|error| panic!("{target} cannot be loaded: {error}"));
        let table = value.downcast::<Value>().ok().unwrap().to_csv().unwrap();
        let events = self
            .store
            .partition_events(target, &PageRequest::first(1_000))
            .await
            .unwrap();
        let history = events.items.into_iter().filter_map(|event| match event {
            Event::Materialized(made) => Some(*made),
            _ => None,
        });
        (table, made.run, history.collect())
    }

    /// Checks that the only run has published each planned partition exactly once, and that each can
    /// be read. Returns the stored tables.
    pub(crate) async fn assert_only_run_is_true(&self) -> BTreeMap<String, String> {
        let runs = self.list_runs().await;
        assert_eq!(runs.len(), 1);
        let run = &runs[0];
        assert_eq!(run.status, RunStatus::Succeeded);
        let planned = self.planned_targets(run.id).await;
        let progress = self.store.run_progress(run.id).await.unwrap();
        assert_eq!(progress.succeeded, u64::try_from(planned.len()).unwrap());
        assert_eq!((progress.failed, progress.skipped), (0, 0));
        let mut tables = BTreeMap::new();
        for target in planned {
            let (table, by, history) = self.read_published(&target).await;
            assert_eq!(by, run.id);
            assert_eq!(
                history.len(),
                1,
                "{target} was published more than once: {history:?}"
            );
            assert!(
                tables.insert(target.to_string(), table).is_none(),
                "{target} twice"
            );
        }
        tables
    }
}
