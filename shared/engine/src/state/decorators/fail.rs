//! [`FailCalls`].

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::CallHook;
use crate::state::{StateError, StateErrorKind, StateResult};

/// On which side of the work a call fails.
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

/// Fails the calls it was told to fail; all others go through.
#[derive(Debug, Default)]
pub struct FailCalls(Mutex<Vec<Fault>>);

impl FailCalls {
    /// From now on lets `skip` calls of this name through, then fails `times` of them.
    pub fn fail(
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

    fn answer(&self, call: &'static str, when: When) -> StateResult<()> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = faults
            .iter_mut()
            .filter(|fault| fault.call == call && fault.when == when && fault.times > 0);
        for fault in due {
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
    async fn before(&self, call: &'static str) -> StateResult<()> {
        self.answer(call, When::Before)
    }

    async fn after(&self, call: &'static str) -> StateResult<()> {
        self.answer(call, When::After)
    }
}
