//! The project on AWS, and what comes to it from outside.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    process::{Command, Output},
    time::Duration,
};

use precip::{
    core::plan::{KeySpan, PartitionChoice, PartitionSelector},
    engine::{
        deployment::Executions,
        state::{PageRequest, Run, RunFilter, RunStatus, RunStore},
    },
};
use precip_aws::{Aws, launch::SfnExecutions, state::dynamo::DynamoStore};
use precip_graphs::{command, declare, description::Project, rights::Rights};

const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools");
const PROGRAM: &str = env!("CARGO_BIN_EXE_graphs");

/// How often something that has to come is looked for, and how long is waited in between.
const LOOKS: u32 = 600;
const EVERY: Duration = Duration::from_millis(250);

/// The project, deployed by the template that is generated from it.
pub(crate) struct Deployment {
    pub(crate) stack: String,
    pub(crate) state: DynamoStore,
    pub(crate) executions: SfnExecutions,
    pub(crate) outputs: BTreeMap<String, String>,
    project: Project,
    folder: tempfile::TempDir,
    rights: Rights,
}

fn python(script: &str, arguments: &[&str]) -> Output {
    let python = env::var("PRECIP_TEST_PYTHON").expect(
        "these tests run under `tests/with/emulator cargo nextest run -p precip-graphs --features aws`",
    );
    let mut command = Command::new(python);
    let done = command
        .arg(format!("{TOOLS}/{script}"))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{script} {arguments:?}: {said}");
    done
}

/// Has something come from outside; answers what it says.
pub(crate) fn landing(arguments: &[&str]) -> String {
    let done = python("landing.py", arguments);
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

impl Deployment {
    /// Deploys it as a stack of a name.
    pub(crate) async fn new(stack: &str, project: Project) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let graph = folder.path().join("graph.json");
        fs::write(&graph, serde_json::to_vec(&project).unwrap()).unwrap();
        let rights = Rights::start(None);
        let (name, value) = rights.variable();
        let through = format!("{name}={value}");
        let done = python(
            "deploy.py",
            &[stack, graph.to_str().unwrap(), PROGRAM, &through],
        );
        let outputs: BTreeMap<String, String> = serde_json::from_slice(&done.stdout).unwrap();
        let aws = Aws::from_env().await;
        let machine = outputs["RunStateMachineArn"].parse().unwrap();
        Self {
            stack: stack.to_owned(),
            state: DynamoStore::new(aws.dynamodb(), &outputs["TableName"]),
            executions: SfnExecutions::new(aws.step_functions(), machine),
            outputs,
            project,
            folder,
            rights,
        }
    }

    /// That no function has called what its role does not allow.
    pub(crate) fn kept_to_its_rights(&self) {
        assert_eq!(self.rights.refused(), "[]");
        // Would it have been refused? The planner writes no data.
        let mut put = Command::new(env::var("PRECIP_TEST_PYTHON").unwrap());
        put.arg(format!("{TOOLS}/landing.py"));
        put.args(["put", self.bucket(), "data/x"]);
        put.env("PRECIP_TEST_AWS_ENDPOINT", self.rights.endpoint());
        put.env("AWS_ACCESS_KEY_ID", format!("{}-planner", self.stack));
        let said = String::from_utf8(put.output().unwrap().stderr).unwrap();
        assert!(said.contains("AccessDenied"), "{said}");
        let refused = self.rights.refused();
        assert!(refused.contains("s3:PutObject"), "{refused}");
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.outputs["BucketName"]
    }

    /// The queue of a sensor.
    pub(crate) fn queue(&self, sensor: &str) -> String {
        format!("{}-sensor-{sensor}", self.stack)
    }

    /// What the function of sensors and schedules answers to so many calls at once: what each did, and
    /// whether it failed.
    pub(crate) fn call(
        &self,
        payload: &serde_json::Value,
        times: u32,
    ) -> Vec<(serde_json::Value, bool)> {
        self.call_function(&self.outputs["SensorFunctionName"], payload, times)
    }

    /// What the reactor answers when it is time.
    pub(crate) fn tick(&self, times: u32) -> Vec<(serde_json::Value, bool)> {
        let reactor = format!("{}-reactor", self.stack);
        self.call_function(&reactor, &serde_json::json!({ "tick": "test" }), times)
    }

    fn call_function(
        &self,
        function: &str,
        payload: &serde_json::Value,
        times: u32,
    ) -> Vec<(serde_json::Value, bool)> {
        let said = landing(&["invoke", function, &payload.to_string(), &times.to_string()]);
        let answers: Vec<serde_json::Value> = serde_json::from_str(&said).unwrap();
        let each = answers.into_iter();
        each.map(|mut one| (one["answer"].take(), one["failed"] == true))
            .collect()
    }

    /// What the project's command line says about the deployment.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let mut command = command(PROGRAM, self.folder.path(), &self.outputs);
        command.args(arguments);
        let done = command.output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {said}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// All runs, oldest first.
    pub(crate) async fn runs(&self) -> Vec<Run> {
        let page = PageRequest::first(1_000);
        let runs = self
            .state
            .list_runs(&RunFilter::default(), &page)
            .await
            .unwrap();
        let mut runs = runs.items;
        runs.reverse();
        runs
    }

    /// Waits until all runs have succeeded, and there are so many at least.
    pub(crate) async fn succeeded(&self, least: usize) -> Vec<Run> {
        for _ in 0..LOOKS {
            let runs = self.runs().await;
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
            tokio::time::sleep(EVERY).await;
        }
        panic!("{:?}", self.runs().await);
    }

    /// Waits until a queue holds so many messages.
    pub(crate) async fn holds(&self, queue: &str, count: usize) {
        let mut last = String::new();
        for _ in 0..LOOKS {
            last = landing(&["waiting", queue]);
            if last == count.to_string() {
                return;
            }
            tokio::time::sleep(EVERY).await;
        }
        panic!("{queue} holds {last} messages, not {count}");
    }

    /// The partitions that runs ask for, each as often as one does.
    pub(crate) fn partitions(&self, runs: &[Run]) -> Vec<String> {
        let definitions = declare(self.project.clone()).unwrap();
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
                panic!("{text} are keys");
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

    /// The executions that were started for runs, each known by its run's id.
    pub(crate) async fn were_started(&self, runs: &[Run]) {
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

/// Some keys, each once.
pub(crate) fn unique(keys: &[String]) -> BTreeSet<&String> {
    keys.iter().collect()
}
