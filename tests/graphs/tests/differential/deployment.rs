//! The project on AWS.

use std::{collections::BTreeMap, env, fs, process::Command, time::Duration};

use precip::engine::{
    deployment::{Execution, Executions},
    machine::StartInput,
    run_id::RunId,
};
use precip_aws::{Aws, launch::SfnExecutions, state::dynamo::DynamoStore};
use precip_graphs::{command, description::Project};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_graphs");
const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/deploy.py");

/// The project, deployed by the template that is generated from it.
pub(crate) struct Deployment {
    pub(crate) state: DynamoStore,
    pub(crate) bucket: String,
    executions: SfnExecutions,
    outputs: BTreeMap<String, String>,
    folder: TempDir,
}

impl Deployment {
    /// Deploys it as a stack of a name, with more variables for its functions.
    pub(crate) async fn new(stack: &str, project: &Project, more: &[(&str, String)]) -> Self {
        let python = env::var("PRECIP_TEST_PYTHON").expect(
            "these tests run under `tests/with/emulator cargo nextest run -p precip-graphs --features aws`",
        );
        let folder = tempfile::tempdir().unwrap();
        let graph = folder.path().join("graph.json");
        fs::write(&graph, serde_json::to_vec(project).unwrap()).unwrap();
        let mut deploy = Command::new(python);
        deploy.arg(DEPLOY).arg(stack).arg(graph);
        deploy.arg(PROGRAM);
        deploy.args(more.iter().map(|(name, value)| format!("{name}={value}")));
        let done = deploy.output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "it cannot be deployed: {said}");
        let outputs: BTreeMap<String, String> = serde_json::from_slice(&done.stdout).unwrap();
        let aws = Aws::from_env().await;
        let machine = outputs["RunStateMachineArn"].parse().unwrap();
        Self {
            state: DynamoStore::new(aws.dynamodb(), &outputs["TableName"]),
            bucket: outputs["BucketName"].clone(),
            executions: SfnExecutions::new(aws.step_functions(), machine),
            outputs,
            folder,
        }
    }

    /// Starts a run: its id is the execution's name.
    pub(crate) async fn start(&self, id: RunId, input: &StartInput) {
        let name = id.to_string();
        self.executions.start_execution(&name, input).await.unwrap();
    }

    /// Looks at a run as a person does, by the command line.
    pub(crate) fn look(&self, id: RunId) {
        let mut run = command(PROGRAM, self.folder.path(), &self.outputs);
        let done = run.args(["run", &id.to_string()]).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{id}: {said}");
    }

    /// Waits until a run's execution has ended.
    pub(crate) async fn ended(&self, id: RunId) -> Execution {
        let arn = self.executions.execution_arn(&id.to_string());
        loop {
            let found = self
                .executions
                .describe_execution(&arn)
                .await
                .unwrap()
                .unwrap();
            if found.status.is_ended() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}
