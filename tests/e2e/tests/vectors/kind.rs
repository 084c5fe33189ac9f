//! Kinds of vectors: a file name, and a check of one case.

use std::{
    fmt::Debug,
    panic::{self, AssertUnwindSafe},
};

use serde_json::Value;

use crate::document::Document;

/// A case that was answered differently.
#[derive(Debug)]
pub(crate) struct Mismatch {
    /// Dagster's answer.
    pub(crate) expected: String,
    /// Ours.
    pub(crate) got: String,
}

impl Mismatch {
    /// Creates a mismatch of two answers.
    pub(crate) fn new(expected: impl Debug, got: impl Debug) -> Self {
        Self {
            expected: format!("{expected:?}"),
            got: format!("{got:?}"),
        }
    }

    /// `Ok` when the two are equal; `what` names the part of the answer that is compared.
    pub(crate) fn unless_equal<T: PartialEq + Debug>(
        what: &str,
        expected: &T,
        got: &T,
    ) -> Result<(), Self> {
        if expected == got {
            return Ok(());
        }
        Err(Self {
            expected: format!("{what} {expected:?}"),
            got: format!("{what} {got:?}"),
        })
    }
}

/// One kind of vectors.
pub(crate) trait Kind {
    /// The file that holds the cases.
    const FILE: &'static str;

    /// The data that all cases of a file share, such as graphs or definitions.
    type Shared;

    /// Parses the shared data of a file.
    fn shared(body: &Value) -> Self::Shared;

    /// Answers one case and compares. A panic counts as a wrong answer.
    fn check(case: &Value, shared: &Self::Shared) -> Result<(), Mismatch>;
}

/// The result of one case.
pub(crate) struct Outcome {
    /// The case's `id`.
    pub(crate) id: String,
    /// The mismatch, if the answer is wrong.
    pub(crate) fault: Option<Mismatch>,
}

/// Runs all cases of a file.
pub(crate) fn run<K: Kind>(document: &Document) -> Vec<Outcome> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let shared = panic::catch_unwind(AssertUnwindSafe(|| K::shared(&document.body)));
    let outcomes = document
        .cases()
        .iter()
        .map(|case| {
            let answer = match &shared {
                Ok(shared) => panic::catch_unwind(AssertUnwindSafe(|| K::check(case, shared)))
                    .unwrap_or_else(|cause| Err(panicked("an answer", cause.as_ref()))),
                Err(cause) => Err(panicked("what the cases share", cause.as_ref())),
            };
            let id = case["id"].as_str().unwrap_or("(no id)").to_owned();
            Outcome {
                id,
                fault: answer.err(),
            }
        })
        .collect();
    panic::set_hook(hook);
    outcomes
}

fn panicked(expected: &str, cause: &(dyn std::any::Any + Send)) -> Mismatch {
    let message = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("something that is not a message");
    Mismatch {
        expected: expected.to_owned(),
        got: format!("panic: {message}"),
    }
}
