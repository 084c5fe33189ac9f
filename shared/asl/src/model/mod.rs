//! State machines and their states, as in JSON.

mod choice;
mod error_handling;
mod machine;
mod map;
mod name;
mod state;

pub use choice::{Choice, ChoiceRule, Comparison};
pub use error_handling::{Catch, JitterStrategy, Retry, STATES_ALL};
pub use machine::{PARTITION, StateMachine, States};
pub use map::{
    ExecutionType, ItemProcessor, ItemReader, Map, ProcessorConfig, ProcessorMode, ResultWriter,
};
pub use name::{InvalidStateName, StateName};
pub use state::{Fail, Parallel, Pass, State, Succeed, Task, Transition, Wait};
