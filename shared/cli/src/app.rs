//! The entry point: from the command line to an exit code.

use std::{io, process::ExitCode};

use clap::Parser;
use precip_engine::definitions::{Definitions, InvalidDefinitions};

use crate::{
    answers,
    args::{Command, Root},
    command,
    dispatch::dispatch,
    exit::Exit,
    failure::Failure,
    launch,
    open::open_session,
    output::{clean_panics, has_failed, note_failure},
    project_name::name_of_crate,
    target::Platform,
};

/// The maximum number of threads for functions of ops and for files. A function that exceeded its timeout
/// may keep its thread, so there are more than any run uses at a time.
const MAX_BLOCKING_THREADS: usize = 16 * 1024;

/// Runs a project's command line: reads the arguments, runs one command, and returns its exit code.
///
/// `definitions` is called after the arguments are read, so that `--help` works in a project whose
/// definitions are wrong. The project is named after the crate that declares this function.
///
/// `aws` connects to deployments, in a binary that was built with AWS.
pub fn main<D>(definitions: D, aws: Option<&dyn Platform>) -> ExitCode
where
    D: FnOnce() -> Result<Definitions, InvalidDefinitions>,
{
    let root = Root::parse();
    clean_panics();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| {
            let outcome = runtime.block_on(run_command_line(root, definitions, aws));
            // A function that exceeded its timeout may block its thread: do not wait for it.
            runtime.shutdown_background();
            outcome
        });
    let exit = outcome.unwrap_or_else(|failure| {
        // A closed pipe ends in `Done`: the reader has seen enough, and nothing went wrong.
        if failure.exit != Exit::Done {
            // When stderr cannot be written either, the exit code is all that is left.
            note_failure(failure.write_to(&mut anstream::stderr()));
        }
        failure.exit
    });
    match exit {
        // Everything was done, but not everything that was to be said.
        Exit::Done if has_failed() => Exit::Environment.into(),
        exit => exit.into(),
    }
}

async fn run_command_line(
    root: Root,
    definitions: impl FnOnce() -> Result<Definitions, InvalidDefinitions>,
    aws: Option<&dyn Platform>,
) -> Result<Exit, Failure> {
    if let Command::Completions { shell } = root.command {
        // Needs no definitions, which may be wrong.
        return command::write_completions(shell, &mut io::stdout());
    }
    let separated = answers::separate_answers(root.command.shows_progress());
    let outcome = run_command(root, definitions, aws).await;
    // Before the outcome is reported: what was printed came first.
    separated.show_rest();
    outcome
}

async fn run_command<D>(
    root: Root,
    definitions: D,
    aws: Option<&dyn Platform>,
) -> Result<Exit, Failure>
where
    D: FnOnce() -> Result<Definitions, InvalidDefinitions>,
{
    let definitions = definitions().map_err(|error| definitions_failure(&error))?;
    let session = open_session(name_of_crate::<D>(), definitions, &root, aws).await?;
    if !matches!(root.command, Command::Doctor) {
        // Every command refuses an unknown environment; `doctor` lists it with the other problems.
        launch::chosen_environment(&session)?;
    }
    let mut out = answers::open_answers();
    let outcome = dispatch(&session, root.command, out.as_mut()).await;
    out.flush()?;
    outcome
}

fn definitions_failure(error: &InvalidDefinitions) -> Failure {
    let count = error.problems().len();
    let message = if count == 1 {
        "the definitions have a problem".to_owned()
    } else {
        format!("the definitions have {count} problems")
    };
    let problems: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    Failure::new(Exit::Definitions, message).with_detail(&problems.join("\n"))
}
