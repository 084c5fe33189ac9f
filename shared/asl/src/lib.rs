//! Amazon States Language as types ([`model`]), the compiler of a project's state machines
//! ([`compile`]), and the checks of a machine before it is deployed ([`check`]).
//!
//! The query language is JSONPath throughout. The language is described at
//! <https://states-language.net> and, with AWS's own states and limits, at
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html>.

pub mod check;
pub mod compile;
pub mod model;
