//! Runs a command of the project around the current folder.

use std::{
    env,
    ffi::{OsStr, OsString},
    process::{Command, ExitCode},
};

use crate::{failure::Failure, project::Project};

/// Builds the project around the current folder and runs a command of it, in the project's folder. Exit code and
/// signals are the project's.
///
/// # Errors
/// [`Failure`] outside a project, or when cargo cannot be started.
pub(crate) fn run_project(words: &[OsString]) -> Result<ExitCode, Failure> {
    let here =
        env::current_dir().map_err(|error| Failure::io("find the current folder", &error))?;
    let project = Project::find(&here)?;
    let on_aws = project.has_aws && acts_on_aws(words, env::var_os("PRECIP_ON").as_deref());
    // The first build takes a while: cargo shows its progress.
    let quiet = project.program.exists();
    let mut command = Command::new("cargo");
    command
        .args(cargo_arguments(&project, quiet, on_aws))
        .args(words);
    command.current_dir(&project.folder);
    run_in_place(command)
}

fn cargo_arguments(project: &Project, quiet: bool, on_aws: bool) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["run".into()];
    if quiet {
        arguments.push("--quiet".into());
    }
    arguments.push("--manifest-path".into());
    arguments.push(project.manifest.clone().into());
    if on_aws {
        arguments.extend(["--features".into(), "aws".into()]);
    }
    arguments.push("--".into());
    arguments
}

/// Returns whether a command acts on a deployment, for which the program needs the feature `aws`. `variable` is the
/// value of `PRECIP_ON`.
fn acts_on_aws(words: &[OsString], variable: Option<&OsStr>) -> bool {
    let options: Vec<&OsString> = words.iter().take_while(|word| *word != "--").collect();
    let written = options.iter().enumerate().find_map(|(index, word)| {
        if *word == "--on" {
            options.get(index + 1).map(|value| value.as_os_str())
        } else {
            word.to_str()?.strip_prefix("--on=").map(OsStr::new)
        }
    });
    written
        .or(variable)
        .is_some_and(|value| value.eq_ignore_ascii_case("aws"))
}

/// Replaces this process by a command, so that signals reach it and its exit code is this process's.
#[cfg(unix)]
fn run_in_place(mut command: Command) -> Result<ExitCode, Failure> {
    use std::os::unix::process::CommandExt;

    // Returns only when the command cannot be started.
    Err(Failure::io("start `cargo`", &command.exec()))
}

/// Runs a command and returns its exit code. A key such as Ctrl-C reaches all processes of the console.
#[cfg(not(unix))]
fn run_in_place(mut command: Command) -> Result<ExitCode, Failure> {
    let status = command
        .status()
        .map_err(|error| Failure::io("start `cargo`", &error))?;
    // Codes above 255 are those of crashes.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_feature_aws_is_for_commands_on_a_deployment() {
        for line in [
            "--on aws runs",
            "runs --on=AWS",
            "materialize --on aws --detach",
        ] {
            assert!(acts_on_aws(&words(line), None), "{line}");
        }
        for line in [
            "runs",
            "--on local runs",
            "show -- --on aws",
            "--on",
            "show on aws",
        ] {
            assert!(!acts_on_aws(&words(line), None), "{line}");
        }
        let (aws, local) = (OsStr::new("aws"), OsStr::new("local"));
        assert!(acts_on_aws(&words("runs"), Some(aws)));
        assert!(!acts_on_aws(&words("runs"), Some(local)));
        // The option wins.
        assert!(!acts_on_aws(&words("--on local runs"), Some(aws)));
    }

    #[test]
    fn cargo_is_quiet_once_the_program_exists() {
        let project = Project {
            name: "shop".to_owned(),
            manifest: "/shop/Cargo.toml".into(),
            folder: "/shop".into(),
            has_aws: true,
            program: "/shop/target/debug/shop".into(),
        };
        let line = |quiet, aws| cargo_arguments(&project, quiet, aws).join(OsStr::new(" "));
        assert_eq!(
            line(true, false),
            "run --quiet --manifest-path /shop/Cargo.toml --"
        );
        assert_eq!(
            line(false, true),
            "run --manifest-path /shop/Cargo.toml --features aws --"
        );
    }
}
