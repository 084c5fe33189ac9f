//! Running a function: from a process's start to its last invocation.

use std::{future::Future, process::ExitCode, sync::Arc};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use precip_aws::state::dynamo::{Capacity, DynamoStore};
use precip_engine::definitions::{Definitions, InvalidDefinitions};
use serde::Serialize;
use serde_json::Value;

use super::{logging, world::World};

/// Runs one of a project's functions until Lambda ends the process. `make` makes what all
/// invocations share; `handle` answers one.
pub(super) fn run<T, M, MF, H, HF, A>(
    definitions: fn() -> Result<Definitions, InvalidDefinitions>,
    make: M,
    handle: H,
) -> ExitCode
where
    M: FnOnce(World) -> MF,
    MF: Future<Output = Result<T, String>>,
    T: Send + Sync + 'static,
    H: Fn(Arc<T>, LambdaEvent<Value>) -> HF,
    HF: Future<Output = Result<A, Diagnostic>>,
    A: Serialize,
{
    logging::begin();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return refused(&format!("the runtime cannot be started: {error}")),
    };
    runtime.block_on(async {
        let world = match World::new(definitions).await {
            Ok(world) => world,
            Err(reason) => return refused(&reason),
        };
        let store = world.store.clone();
        let made = match make(world).await {
            Ok(made) => Arc::new(made),
            Err(reason) => return refused(&reason),
        };
        let service = service_fn(|event| {
            let (answer, store) = (handle(Arc::clone(&made), event), &store);
            async move {
                let answer = answer.await;
                log_consumed(store);
                answer
            }
        });
        match lambda_runtime::run(service).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refused(&error.to_string()),
        }
    })
}

/// Logs what an invocation consumed of the table, as DynamoDB charges it. Lambda gives a process one
/// invocation at a time.
fn log_consumed(store: &DynamoStore) {
    let Capacity {
        read,
        write,
        refused,
        requests,
    } = store.meter().take();
    tracing::info!(read, write, refused, requests, "consumed");
}

fn refused(reason: &str) -> ExitCode {
    tracing::error!(reason, "the function cannot start");
    ExitCode::FAILURE
}
