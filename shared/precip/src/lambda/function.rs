//! The life of a function's process, from its start to its last invocation.

use std::{future::Future, process::ExitCode, sync::Arc};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use precip_aws::state::dynamo::{Capacity, DynamoStore};
use precip_engine::definitions::{Definitions, InvalidDefinitions};
use serde::Serialize;
use serde_json::Value;

use super::{context::FunctionContext, logging};

/// Runs one of the project's functions until Lambda ends the process. `start` creates the state
/// that all invocations share; `handle` answers one invocation.
pub(super) fn run_function<T, S, SF, H, HF, A>(
    definitions: fn() -> Result<Definitions, InvalidDefinitions>,
    start: S,
    handle: H,
) -> ExitCode
where
    S: FnOnce(FunctionContext) -> SF,
    SF: Future<Output = Result<T, String>>,
    T: Send + Sync + 'static,
    H: Fn(Arc<T>, LambdaEvent<Value>) -> HF,
    HF: Future<Output = Result<A, Diagnostic>>,
    A: Serialize,
{
    logging::start_logging();
    // Failures before the first invocation end the process: Lambda reports them as errors of its
    // start.
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return start_failed(&format!("the runtime cannot be started: {error}")),
    };
    runtime.block_on(async {
        // Everything that invocations share is created once, before the first of them.
        let context = match FunctionContext::new(definitions).await {
            Ok(context) => context,
            Err(reason) => return start_failed(&reason),
        };
        let store = context.store.clone();
        let state = match start(context).await {
            Ok(state) => Arc::new(state),
            Err(reason) => return start_failed(&reason),
        };
        let service = service_fn(|event| {
            // Lambda gives a process one invocation at a time, so handlers never overlap.
            let (handled, store) = (handle(Arc::clone(&state), event), &store);
            async move {
                let answer = handled.await;
                log_consumed(store);
                answer
            }
        });
        match lambda_runtime::run(service).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => start_failed(&error.to_string()),
        }
    })
}

/// Logs the capacity of the table that an invocation consumed, as DynamoDB charges it. Lambda gives
/// a process one invocation at a time, so the meter's total is the invocation's.
fn log_consumed(store: &DynamoStore) {
    let Capacity {
        read,
        write,
        refused,
        requests,
    } = store.meter().take_total();
    tracing::info!(read, write, refused, requests, "consumed");
}

/// Logs why the function cannot start.
fn start_failed(reason: &str) -> ExitCode {
    tracing::error!(reason, "the function cannot start");
    ExitCode::FAILURE
}
