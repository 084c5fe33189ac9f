//! The command `precip`: `new` makes a project, `add` adds to one, and every other command is the
//! project's own, run from any of its folders.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]

mod add;
mod args;
mod failure;
mod forward;
mod name;
mod new;
mod project;
mod template;

use std::{env, ffi::OsString, process::ExitCode};

use clap::Parser;

use crate::{
    args::{Command, Root},
    failure::Failure,
};

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let outcome = match args::forwarded_words(&words) {
        Some(words) => forward::run_project(words),
        None => match Root::parse().command {
            Command::New(args) => new::run(&args),
            Command::Add { addition } => add::run(&addition),
        },
    };
    outcome.unwrap_or_else(|failure: Failure| {
        // When stderr cannot be written, the exit code is all that is left.
        let _ = failure.write_to(&mut anstream::stderr());
        failure.exit.into()
    })
}
