//! AWS's documented rules in virtual time.
//!
//! The simulator runs the *generated* state machines and calls functions as Step Functions and Lambda
//! do, with their quotas, throttles, histories and prices. Time is virtual: it passes only when
//! everything waits, so a run of hours takes seconds, and the same seed gives the same run.
//!
//! | module | contents |
//! |---|---|
//! | [`bill`] | the amounts of each unit that AWS bills for |
//! | [`dynamo`] | DynamoDB: the throughput of an on-demand table, and what it charges |
//! | [`lambda`] | Lambda: concurrency, scaling, throttles, timeouts, faults |
//! | [`deployment`] | a project's real functions and generated machines |
//! | [`kernel`] | virtual time, and the executor of everything that happens in it |
//! | [`saturation`] | how long a limit is reached |
//! | [`simulate`] | the duration, cost and limits of a planned run |
//! | [`step_functions`] | machines, executions and their histories |
//! | [`timeline`] | the course of a number over a simulation |
//! | [`task`] | the functions and objects that states call |

pub mod bill;
pub mod deployment;
pub mod dynamo;
pub mod kernel;
pub mod lambda;
mod rate;
pub mod saturation;
pub mod simulate;
pub mod step_functions;
pub mod task;
pub mod timeline;
