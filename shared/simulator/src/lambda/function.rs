//! Functions: their settings, and the code behind them.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::task::TaskError;

/// The code of a function.
#[async_trait(?Send)]
pub trait Handler {
    /// Handles one invocation. Dropped at any await when the invocation ends before its answer.
    ///
    /// # Errors
    /// The function's error: its name is what a state's `Retry` and `Catch` match.
    async fn handle(&self, payload: Value, invocation: &Invocation) -> Result<Value, TaskError>;
}

/// One invocation, as its handler sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Number of the invocation in the simulation, from 1. A doubled invocation has the number of the
    /// first.
    pub number: u64,
    /// True for the first invocation of an environment.
    pub is_cold: bool,
    /// Virtual time at which the function's timeout ends the invocation, since the kernel's start.
    pub deadline: Duration,
    /// Number of invocations in the chain that led to this one, itself included. What the handler
    /// sends to queues, topics and buckets carries it on.
    pub chain: u32,
}

/// The settings of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionConfig {
    /// Memory, in MiB. Billed for the whole duration.
    pub memory_mib: u32,
    /// Disk, in MiB. Billed beyond 512.
    pub disk_mib: u32,
    /// Longest duration of an invocation.
    pub timeout: Duration,
    /// Concurrency reserved for the function, which is also its limit.
    pub reserved_concurrency: Option<u32>,
    /// Duration of the start of an environment, which is billed.
    ///
    /// <https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/>
    pub cold_start: Duration,
    /// Bytes of logs of an invocation, with Lambda's own lines.
    pub log_bytes: u32,
}

impl Default for FunctionConfig {
    fn default() -> Self {
        Self {
            memory_mib: 512,
            disk_mib: 512,
            timeout: Duration::from_secs(60),
            reserved_concurrency: None,
            cold_start: Duration::ZERO,
            log_bytes: 0,
        }
    }
}
