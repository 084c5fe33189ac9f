//! `add`: writes a skeleton of an asset, a check, a sensor or a schedule into the project.

mod declared;
mod plan;
mod skeleton;

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use self::plan::{Source, plan_addition};
use crate::{args::AddArgs, failure::Failure, name::check_item_name, project::Project};

/// Adds to the project around the current folder.
///
/// # Errors
/// [`Failure`] outside a project, and when the name is invalid or taken. Nothing is changed then.
pub(crate) fn run(addition: &AddArgs) -> Result<ExitCode, Failure> {
    let (name, kind) = addition.name_and_kind();
    check_item_name(name, kind).map_err(|error| Failure::usage(error.to_string()))?;
    let here =
        env::current_dir().map_err(|error| Failure::io("find the current folder", &error))?;
    let project = Project::find(&here)?;
    let package = project.manifest.parent().unwrap_or(&project.folder);
    let sources = read_sources(package).map_err(|error| {
        Failure::io(
            format_args!("read `{}`", package.join("src").display()),
            &error,
        )
    })?;
    let planned = plan_addition(addition, &sources)?;
    for edit in &planned.edits {
        replace_file(&package.join(&edit.path), &edit.text)
            .map_err(|error| Failure::io(format_args!("write `{}`", edit.path), &error))?;
    }
    print_result(addition, &planned);
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the commands are the output")]
fn print_result(addition: &AddArgs, planned: &plan::Planned) {
    let (name, kind) = addition.name_and_kind();
    anstream::eprintln!("added {kind}: {}:{}", planned.file, planned.line);
    if let Some(registration) = &planned.registration {
        anstream::eprintln!(
            "register it: the definitions do not `discover()`, so add `{registration}` to their builder"
        );
    }
    match addition {
        AddArgs::Asset { .. } => println!("cargo run -- materialize --select {name}"),
        AddArgs::Check { asset, .. } => {
            println!("cargo run -- materialize --select {asset} --partitions all")
        }
        AddArgs::Sensor { .. } => println!("cargo run -- sensor {name}"),
        AddArgs::Schedule { .. } => println!("cargo run -- schedule {name} preview"),
    }
}

/// Reads the Rust files below `src`, in the order of their paths.
fn read_sources(package: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut folders = vec![package.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(Source {
                    path: relative_path(package, &path),
                    text: fs::read_to_string(&path)?,
                });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn relative_path(package: &Path, file: &Path) -> String {
    let relative: PathBuf = file.strip_prefix(package).unwrap_or(file).to_owned();
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Writes a file as a whole: a reader has the old content or the new one.
fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new()
        .prefix(".precip-add-")
        .tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    // A temporary file is for its owner only.
    let permissions = match fs::metadata(path) {
        Ok(existing) => existing.permissions(),
        Err(_) => {
            fs::write(path, "")?;
            fs::metadata(path)?.permissions()
        }
    };
    new.as_file().set_permissions(permissions)?;
    new.persist(path).map_err(|error| error.error)?;
    Ok(())
}
