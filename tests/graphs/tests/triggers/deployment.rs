//! A deployed project, with what comes from outside, and what follows in its record.

use std::{collections::BTreeSet, env, ops::Deref, process::Command, time::Duration};

use precip::{
    core::plan::{KeySpan, PartitionChoice, PartitionSelector},
    engine::{
        deployment::Executions,
        state::{PageRequest, Run, RunFilter, RunStatus, RunStore},
    },
};
use precip_graphs::{
    declare_project,
    deployment::{Deployment, run_tool},
    description::Project,
    rights::RightsProxy,
};

const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools");
const PROGRAM: &str = env!("CARGO_BIN_EXE_graphs");

/// The most polls for something that has to happen, and the interval between them.
const POLLS: u32 = 600;
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// A deployed project whose functions may do only what their roles allow.
pub(crate) struct TriggerDeployment {
    deployment: Deployment,
    project: Project,
    rights: RightsProxy,
}

/// Sends something from outside, by `landing.py`, and returns what that prints.
pub(crate) fn run_landing(arguments: &[&str]) -> String {
    let output = run_tool("landing.py", arguments);
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Deref for TriggerDeployment {
    type Target = Deployment;

    fn deref(&self) -> &Deployment {
        &self.deployment
    }
}

impl TriggerDeployment {
    /// Deploys a project as a stack.
    pub(crate) async fn deploy(stack: &str, project: Project) -> Self {
        let rights = RightsProxy::start_proxy(None);
        let variables = [rights.proxy_variable()];
        Self {
            deployment: Deployment::deploy(PROGRAM, stack, &project, &variables).await,
            project,
            rights,
        }
    }

    /// Checks that no function has made a call that its role does not allow.
    pub(crate) fn assert_no_call_refused(&self) {
        assert_eq!(self.rights.refused_calls(), "[]");
        // The proxy does refuse calls: the planner may not write data.
        let mut put = Command::new(env::var("PRECIP_TEST_PYTHON").unwrap());
        put.arg(format!("{TOOLS}/landing.py"));
        put.args(["put", self.bucket(), "data/x"]);
        put.env("PRECIP_TEST_AWS_ENDPOINT", self.rights.endpoint());
        put.env("AWS_ACCESS_KEY_ID", format!("{}-planner", self.stack));
        let messages = String::from_utf8(put.output().unwrap().stderr).unwrap();
        assert!(messages.contains("AccessDenied"), "{messages}");
        let refused = self.rights.refused_calls();
        assert!(refused.contains("s3:PutObject"), "{refused}");
    }

    /// Returns the name of a sensor's queue.
    pub(crate) fn queue_name(&self, sensor: &str) -> String {
        format!("{}-sensor-{sensor}", self.stack)
    }

    /// Calls the function of sensors and schedules so many times at once. Returns the answers, and whether
    /// each call failed.
    pub(crate) fn call_sensor_function(
        &self,
        payload: &serde_json::Value,
        times: u32,
    ) -> Vec<(serde_json::Value, bool)> {
        self.call_function(&self.outputs["SensorFunctionName"], payload, times)
    }

    /// Calls the reactor as its schedule does.
    pub(crate) fn call_reactor(&self, times: u32) -> Vec<(serde_json::Value, bool)> {
        let reactor = format!("{}-reactor", self.stack);
        self.call_function(&reactor, &serde_json::json!({ "tick": "test" }), times)
    }

    /// Calls a function of the stack.
    pub(crate) fn call_function(
        &self,
        function: &str,
        payload: &serde_json::Value,
        times: u32,
    ) -> Vec<(serde_json::Value, bool)> {
        let printed = run_landing(&["invoke", function, &payload.to_string(), &times.to_string()]);
        let answers: Vec<serde_json::Value> = serde_json::from_str(&printed).unwrap();
        answers
            .into_iter()
            .map(|mut one| (one["answer"].take(), one["failed"] == true))
            .collect()
    }

    /// Lists all runs, oldest first.
    pub(crate) async fn list_runs(&self) -> Vec<Run> {
        let page = PageRequest::first(1_000);
        let listed = self.state.list_runs(&RunFilter::default(), &page).await;
        let mut runs = listed.unwrap().items;
        runs.reverse();
        runs
    }

    /// Waits until there are so many runs, and all have succeeded.
    pub(crate) async fn await_runs(&self, least: usize) -> Vec<Run> {
        for _ in 0..POLLS {
            let runs = self.list_runs().await;
            let done = |run: &Run| run.status == RunStatus::Succeeded;
            if runs.len() >= least && runs.iter().all(done) {
                return runs;
            }
            if let Some(run) = runs.iter().find(|run| run.status == RunStatus::Failed) {
                panic!(
                    "{run:?}: {:?}",
                    self.executions
                        .describe_execution(&self.executions.execution_of_run(run))
                        .await
                );
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        panic!("{:?}", self.list_runs().await);
    }

    /// Waits until the second run, the retry of a canceled one, has succeeded.
    pub(crate) async fn await_retry(&self) -> Vec<Run> {
        for _ in 0..POLLS {
            let runs = self.list_runs().await;
            match runs.get(1).map(|run| run.status) {
                Some(RunStatus::Succeeded) => return runs,
                Some(RunStatus::Failed) => panic!("{runs:?}"),
                _ => tokio::time::sleep(POLL_INTERVAL).await,
            }
        }
        panic!("{:?}", self.list_runs().await);
    }

    /// Waits until a queue has so many messages.
    pub(crate) async fn await_messages(&self, queue: &str, count: usize) {
        let mut last = String::new();
        for _ in 0..POLLS {
            last = run_landing(&["waiting", queue]);
            if last == count.to_string() {
                return;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        panic!("{queue} has {last} messages, not {count}");
    }

    /// Returns the requested partitions of runs, with repetitions.
    pub(crate) fn requested_partitions(&self, runs: &[Run]) -> Vec<String> {
        let definitions = declare_project(self.project.clone()).unwrap();
        let graph = definitions.graph();
        let orders = graph.id(&"orders".parse().unwrap()).unwrap();
        let days = graph.partitions(orders).unwrap();
        let at = "2027-01-01T00:00:00Z".parse().unwrap();
        let context = precip::core::partitions::PartitionContext::at(at);
        let mut keys = Vec::new();
        for run in runs {
            let text = run.request.partitions.as_deref().unwrap();
            let selector: PartitionSelector = text.parse().unwrap();
            let PartitionChoice::Keys(spans) = selector.choice else {
                panic!("`{text}` is not a list of keys");
            };
            for span in spans {
                match span {
                    KeySpan::One(key) => keys.push(key.to_string()),
                    KeySpan::Range(first, last) => {
                        let set = days.range(&first, &last, &context).unwrap();
                        keys.extend(days.keys(&set, &context).map(|key| key.to_string()));
                    }
                }
            }
        }
        keys
    }

    /// Checks that each run was started as the execution of its id.
    pub(crate) async fn assert_started(&self, runs: &[Run]) {
        for run in runs {
            let arn = self.executions.execution_arn(&run.id.to_string());
            assert!(
                self.executions
                    .describe_execution(&arn)
                    .await
                    .unwrap()
                    .is_some(),
                "{run:?}"
            );
        }
    }
}

/// Returns the distinct keys.
pub(crate) fn distinct_keys(keys: &[String]) -> BTreeSet<&String> {
    keys.iter().collect()
}
