//! AWS's documented rules in virtual time.
//!
//! The simulator runs the *generated* state machines and calls functions as Step Functions and Lambda
//! do, with their quotas, throttles, histories and prices. Time is virtual: it passes only when
//! everything waits, so a run of hours takes seconds, and the same seed gives the same run.
//!
//! | module | contents |
//! |---|---|
//! | [`bill`] | what a simulation uses of each unit that AWS bills for |
//! | [`deployment`] | a project's real functions and generated machines |
//! | [`kernel`] | virtual time, and the executor of everything that happens in it |
//! | [`step_functions`] | machines, executions and their histories |
//! | [`task`] | what a state of a machine calls: functions and objects |

pub mod bill;
pub mod deployment;
pub mod kernel;
pub mod step_functions;
pub mod task;
