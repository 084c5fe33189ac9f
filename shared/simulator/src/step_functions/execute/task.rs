//! Tasks: calls of functions, and executions that a state waits for.

use std::rc::Rc;

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use serde_json::{Value, json};

use super::{
    super::{
        execution::ExecutionStatus,
        history::EventKind,
        path::Context,
        program::{Call, Compiled, Task},
        service::{Inner, StepFunctions},
    },
    Scope, Stop,
};
use crate::task::TaskError;

/// Runs one attempt of a task.
pub(super) async fn run_task(
    scope: &Scope,
    state: &Compiled,
    task: &Task,
    data: &Rc<Value>,
    context: &Context,
) -> Result<Value, Stop> {
    let parameters = task.parameters.fill(data, context)?;
    scope.check_size(&parameters)?;
    let name = Some(&state.name);
    scope.add(EventKind::TaskScheduled, name)?;
    scope.add(EventKind::TaskStarted, name)?;
    let call = async {
        match task.call {
            Call::Function => call_function(scope, parameters).await.map_err(Stop::Failed),
            Call::AccountSettings => Ok(scope.inner.functions.account_settings()?),
            Call::Execution => run_execution(scope, state, parameters).await,
        }
    };
    let result = match task.timeout {
        None => call.await,
        Some(timeout) => {
            let (call, sleep) = (std::pin::pin!(call), scope.inner.time.sleep(timeout));
            match select(call, sleep).await {
                Either::Left((result, _)) => result,
                Either::Right(_) => {
                    Err(TaskError::new("States.Timeout", "The task timed out").into())
                }
            }
        }
    };
    let result = result.and_then(|answer| {
        scope.check_size(&answer)?;
        Ok(answer)
    });
    match &result {
        Ok(_) => scope.add(EventKind::TaskSucceeded, name)?,
        Err(Stop::Failed(error)) if error.error == "States.Timeout" => {
            scope.add(EventKind::TaskTimedOut, name)?;
        }
        Err(Stop::Failed(_)) => scope.add(EventKind::TaskFailed, name)?,
        Err(Stop::Fatal(_)) => {}
    }
    result
}

/// Calls a function. The call goes on when the task times out or its execution is stopped, as an
/// invocation of Lambda does.
async fn call_function(scope: &Scope, mut parameters: Value) -> Result<Value, TaskError> {
    let function = parameters["FunctionName"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let payload = parameters["Payload"].take();
    let (send, receive) = oneshot::channel();
    let functions = Rc::clone(&scope.inner.functions);
    scope.inner.tasks.start(async move {
        let answer = functions.call_function(&function, payload).await;
        // The task may have timed out.
        let _ = send.send(answer);
    });
    let answer = receive
        .await
        .map_err(|_| TaskError::new("Lambda.Unknown", "the invocation was lost"))??;
    Ok(json!({"ExecutedVersion": "$LATEST", "Payload": answer, "StatusCode": 200}))
}

/// Starts an execution of another machine and waits for its end.
///
/// <https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html>
async fn run_execution(
    scope: &Scope,
    state: &Compiled,
    mut parameters: Value,
) -> Result<Value, Stop> {
    let service = StepFunctions(Rc::clone(&scope.inner));
    let machine = parameters["StateMachineArn"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let name = parameters["Name"].as_str().map(str::to_owned);
    let input = parameters["Input"].take();
    let started = service.start_execution(&machine, name.as_deref(), input);
    let arn = started.map_err(|error| TaskError::new(error.name(), error.to_string()))?;
    scope.add(EventKind::TaskSubmitted, Some(&state.name))?;
    // An execution that is stopped stops those that it waits for.
    let mut guard = StopOnDrop {
        inner: &scope.inner,
        arn: Some(arn.clone()),
    };
    let outcome = service.wait_for_end(&arn).await;
    guard.arn = None;
    let Some(outcome) = outcome else {
        return Err(TaskError::new("States.TaskFailed", "the execution is gone").into());
    };
    let description = service.describe_execution(&arn);
    if outcome.status == ExecutionStatus::Succeeded {
        return Ok(json!({
            "ExecutionArn": arn,
            "StateMachineArn": machine,
            "Status": outcome.status.as_str(),
            "Output": outcome.output,
        }));
    }
    let error = outcome.error;
    let cause = json!({
        "ExecutionArn": arn,
        "StateMachineArn": machine,
        "Status": outcome.status.as_str(),
        "Name": description.map(|found| found.name),
        "Error": error.as_ref().map(|error| &error.error),
        "Cause": error.as_ref().map(|error| &error.cause),
    });
    Err(TaskError::new("States.TaskFailed", cause.to_string()).into())
}

struct StopOnDrop<'a> {
    inner: &'a Rc<Inner>,
    arn: Option<String>,
}

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(arn) = self.arn.take() {
            let service = StepFunctions(Rc::clone(self.inner));
            // It may have ended on its own.
            let _ = service
                .stop_execution(&arn, TaskError::new("", "the parent execution was stopped"));
        }
    }
}
