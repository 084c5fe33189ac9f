//! [`DevLauncher`]: a launcher that queues runs in this process.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use precip_engine::{
    run_id::RunId,
    state::Run,
    trigger::{FunctionRunner, RunLauncher},
};
use precip_local::executor::TokioFunctionRunner;
use tokio::sync::mpsc::UnboundedSender;

/// A launcher that puts runs into this process's queue, each once.
pub(super) struct DevLauncher {
    queue: UnboundedSender<Run>,
    launched: Mutex<HashSet<RunId>>,
}

impl DevLauncher {
    /// Creates a launcher for a queue.
    pub(super) fn new(queue: UnboundedSender<Run>) -> Self {
        Self {
            queue,
            launched: Mutex::default(),
        }
    }
}

#[async_trait]
impl RunLauncher for DevLauncher {
    async fn launch(&self, run: &Run) -> Result<(), String> {
        let mut launched = self.launched.lock().unwrap_or_else(PoisonError::into_inner);
        // The lock is held while sending, so that a run is queued once.
        if launched.insert(run.id) && self.queue.send(run.clone()).is_err() {
            launched.remove(&run.id);
            return Err("this process is stopping".to_owned());
        }
        Ok(())
    }

    fn function_runner(&self) -> Arc<dyn FunctionRunner> {
        Arc::new(TokioFunctionRunner::default())
    }
}
