//! `new`: makes a project.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use crate::{
    args::NewArgs,
    failure::Failure,
    name::ProjectName,
    template::{RenderedFile, render_project},
};

/// Makes a project and prints the next two commands.
///
/// # Errors
/// [`Failure`] when the name is invalid, the folder exists or cannot be written. Nothing is left behind then.
pub(crate) fn run(args: &NewArgs) -> Result<ExitCode, Failure> {
    let folder = std::path::absolute(&args.path)
        .map_err(|error| Failure::io(format_args!("resolve `{}`", args.path.display()), &error))?;
    let name = project_name(args, &folder)?;
    let parent = existing_parent(&folder)?;
    if fs::symlink_metadata(&folder).is_ok() {
        return Err(
            Failure::usage(format!("`{}` exists already", args.path.display()))
                .with_help("choose another name; `new` changes nothing that exists"),
        );
    }
    let nested = has_above(parent, "Cargo.toml");
    let files = render_project(&name, args.template, args.deploy, nested)
        .map_err(|error| Failure::environment(format!("a template is invalid: {error:#}")))?;
    let repository = write_project(&folder, parent, &files)?;
    print_next_steps(args, repository);
    Ok(ExitCode::SUCCESS)
}

fn project_name(args: &NewArgs, folder: &Path) -> Result<ProjectName, Failure> {
    // `.` and `..` name existing folders, and end in no name.
    let last = args.path.components().next_back();
    let name = match last {
        Some(std::path::Component::Normal(_)) => folder.file_name().and_then(|name| name.to_str()),
        _ => None,
    };
    let shown = args.path.display().to_string();
    ProjectName::parse(name.unwrap_or(&shown), args.deploy).map_err(|error| {
        Failure::usage(error.to_string()).with_help("for example: `precip new shop`")
    })
}

fn existing_parent(folder: &Path) -> Result<&Path, Failure> {
    match folder.parent() {
        Some(parent) if parent.is_dir() => Ok(parent),
        parent => {
            let parent = parent.unwrap_or(folder).display();
            Err(Failure::usage(format!("there is no folder `{parent}`"))
                .with_help("create it first, or make the project elsewhere"))
        }
    }
}

/// Returns whether a folder or one above it has an entry of this name.
fn has_above(folder: &Path, entry: &str) -> bool {
    folder.ancestors().any(|above| above.join(entry).exists())
}

/// A project's git repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repository {
    /// `new` made it.
    Made,
    /// The project is in a folder of another one.
    Around,
    /// There is no git on this machine.
    WithoutGit,
}

/// Writes a project to a temporary folder beside its own, and moves it when it is complete.
fn write_project(
    folder: &Path,
    parent: &Path,
    files: &[RenderedFile],
) -> Result<Repository, Failure> {
    let failed =
        |error: &io::Error| Failure::io(format_args!("write to `{}`", parent.display()), error);
    // Removed at the end, and when anything fails.
    let scratch = tempfile::Builder::new()
        .prefix(".precip-new-")
        .tempdir_in(parent)
        .map_err(|error| failed(&error))?;
    // A folder within it, since the temporary one is for its owner only.
    let project = scratch.path().join("project");
    for file in files {
        write_file(&project.join(file.path), &file.text).map_err(|error| failed(&error))?;
    }
    let repository = if has_above(parent, ".git") {
        Repository::Around
    } else {
        init_git(&project)?
    };
    fs::rename(&project, folder).map_err(|error| failed(&error))?;
    Ok(repository)
}

fn write_file(path: &PathBuf, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

fn init_git(project: &Path) -> Result<Repository, Failure> {
    let made = Command::new("git")
        .args(["init", "--quiet"])
        // A hook of git sets them, for the repository that it runs in.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .current_dir(project)
        .stdin(Stdio::null())
        .output();
    match made {
        Ok(output) if output.status.success() => Ok(Repository::Made),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(Failure::environment(format!(
                "`git init` failed: {}",
                said.trim()
            )))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Repository::WithoutGit),
        Err(error) => Err(Failure::io("run `git init`", &error)),
    }
}

#[expect(clippy::print_stdout, reason = "the commands are the output")]
fn print_next_steps(args: &NewArgs, repository: Repository) {
    let path = args.path.display();
    let (template, deploy) = (args.template.name(), args.deploy.name());
    anstream::eprintln!("made `{path}` (--template {template} --deploy {deploy})");
    match repository {
        Repository::Made => {}
        Repository::Around => anstream::eprintln!("it is part of the git repository around it"),
        Repository::WithoutGit => {
            anstream::eprintln!("it is no git repository: git is not installed")
        }
    }
    println!("cd {}", shell_word(&path.to_string()));
    println!("cargo run -- materialize");
}

/// Quotes a word for a shell, if it needs quotes.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-~".contains(c);
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_for_a_shell_if_it_must_be() {
        assert_eq!(shell_word("../code/web-shop"), "../code/web-shop");
        assert_eq!(shell_word("my code/shop"), "'my code/shop'");
        assert_eq!(shell_word("ann's/shop"), r"'ann'\''s/shop'");
    }
}
