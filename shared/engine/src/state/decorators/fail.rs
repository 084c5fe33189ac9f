//! [`FailCalls`].

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::CallHook;
use crate::state::{StateError, StateErrorKind, StateResult};

/// The side of the work on which a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The store never sees the call.
    Before,
    /// The store does the work, and the answer is lost.
    After,
}

#[derive(Debug)]
struct Fault {
    call: &'static str,
    when: When,
    skip: u64,
    times: u64,
    kind: StateErrorKind,
}

/// A hook that fails the selected calls and passes all others.
#[derive(Debug, Default)]
pub struct FailCalls(Mutex<Vec<Fault>>);

impl FailCalls {
    /// Arranges that, after `skip` more calls of this name, the next `times` of them fail.
    pub fn fail_calls(
        &self,
        call: &'static str,
        when: When,
        skip: u64,
        times: u64,
        kind: StateErrorKind,
    ) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.push(Fault {
            call,
            when,
            skip,
            times,
            kind,
        });
    }

    fn check_faults(&self, call: &'static str, when: When) -> StateResult<()> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = faults
            .iter_mut()
            .filter(|fault| fault.call == call && fault.when == when && fault.times > 0);
        for fault in due {
            // Each fault counts its own calls, so several faults of one call name add up.
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times -= 1;
            let side = match when {
                When::Before => "before the work",
                When::After => "after the work",
            };
            return Err(StateError::new(
                fault.kind,
                format!("`{call}` was made to fail {side}"),
            ));
        }
        Ok(())
    }
}

#[async_trait]
impl CallHook for FailCalls {
    async fn before_call(&self, call: &'static str) -> StateResult<()> {
        self.check_faults(call, When::Before)
    }

    async fn after_call(&self, call: &'static str) -> StateResult<()> {
        self.check_faults(call, When::After)
    }
}
