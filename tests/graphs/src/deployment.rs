//! [`Deployment`]: a described project on the emulator.

use std::{
    collections::BTreeMap,
    env, fs,
    process::{Command, Output},
};

use precip::engine::{deployment::Executions, machine::StartInput, run_id::RunId};
use precip_aws::{Aws, launch::SfnExecutions, state::dynamo::DynamoStore};
use tempfile::TempDir;

use crate::{deployment_command, description::Project};

/// A described project, deployed with its generated template.
#[expect(missing_debug_implementations, reason = "it is for tests")]
pub struct Deployment {
    /// The name of its stack.
    pub stack: String,
    /// Its store.
    pub state: DynamoStore,
    /// The executions of its state machine.
    pub executions: SfnExecutions,
    /// The outputs of its stack.
    pub outputs: BTreeMap<String, String>,
    program: String,
    folder: TempDir,
}

/// Runs a script of `tests/tools` to its end.
///
/// # Panics
/// If it fails, or outside the emulator.
pub fn run_tool(script: &str, arguments: &[&str]) -> Output {
    let python = env::var("PRECIP_TEST_PYTHON").expect(
        "these tests run under `tests/with/emulator cargo nextest run -p precip-graphs --features aws`",
    );
    let path = format!("{}/../tools/{script}", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python).arg(path).args(arguments).output();
    let output = output.expect("Python can be started");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{script} {arguments:?}: {messages}"
    );
    output
}

impl Deployment {
    /// Deploys a project as a stack, with variables for its functions. `program` is the binary `graphs`.
    ///
    /// # Panics
    /// If it cannot be deployed.
    pub async fn deploy(
        program: &str,
        stack: &str,
        project: &Project,
        variables: &[(&str, String)],
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be created");
        let graph = folder.path().join("graph.json");
        let document = serde_json::to_vec(project).expect("a project can be described");
        fs::write(&graph, document).expect("the folder can be written");
        let path = graph.to_string_lossy();
        let variables: Vec<String> = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut arguments = vec![stack, path.as_ref(), program];
        arguments.extend(variables.iter().map(String::as_str));
        let printed = run_tool("deploy.py", &arguments).stdout;
        let outputs: BTreeMap<String, String> =
            serde_json::from_slice(&printed).expect("outputs are JSON");
        let aws = Aws::from_env().await;
        let machine = outputs["RunStateMachineArn"].parse();
        let machine = machine.expect("a stack has a machine");
        Self {
            stack: stack.to_owned(),
            state: DynamoStore::new(aws.dynamodb(), &outputs["TableName"]),
            executions: SfnExecutions::new(aws.step_functions(), machine),
            outputs,
            program: program.to_owned(),
            folder,
        }
    }

    /// Gives the functions, and the commands, another project. The state machines stay, as halfway through
    /// a deployment.
    ///
    /// # Panics
    /// If the functions cannot be updated.
    pub fn update_functions(&self, project: &Project) {
        let graph = self.folder.path().join("graph.json");
        let document = serde_json::to_vec(project).expect("a project can be described");
        fs::write(&graph, document).expect("the folder can be written");
        let path = graph.to_string_lossy();
        let printed = run_tool(
            "deploy.py",
            &["--functions", &self.stack, path.as_ref(), &self.program],
        );
        let names: Vec<String> = serde_json::from_slice(&printed.stdout).expect("names are JSON");
        assert!(names.len() >= 3, "{names:?}");
    }

    /// Returns the project's own bucket.
    pub fn bucket(&self) -> &str {
        &self.outputs["BucketName"]
    }

    /// Starts a run. Its id is the name of the execution.
    ///
    /// # Panics
    /// If it cannot be started.
    pub async fn start_run(&self, id: RunId, input: &StartInput) {
        let name = id.to_string();
        let started = self.executions.start_execution(&name, input).await;
        started.expect("an execution can be started");
    }

    /// Runs a command of the project on the deployment, and returns its data.
    ///
    /// # Panics
    /// If it fails.
    pub fn run_command(&self, arguments: &[&str]) -> String {
        let mut command = deployment_command(&self.program, self.folder.path(), &self.outputs);
        let output = command.args(arguments).output();
        let output = output.expect("the program can be started");
        let messages = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {messages}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
