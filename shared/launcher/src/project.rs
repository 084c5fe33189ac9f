//! [`Project`]: the project around a folder.

use std::{
    io,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::failure::Failure;

/// The project around a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Project {
    /// The name of its package.
    pub(crate) name: String,
    /// The `Cargo.toml` of its package.
    pub(crate) manifest: PathBuf,
    /// The folder in which its commands run.
    pub(crate) folder: PathBuf,
    /// `true` if its package has the feature `aws`.
    pub(crate) has_aws: bool,
    /// The program that cargo builds from it.
    pub(crate) program: PathBuf,
}

impl Project {
    /// Finds the project around a folder: the package that depends on `precip`, or the only such default member of
    /// the workspace.
    ///
    /// # Errors
    /// [`Failure`] outside a project, and when cargo cannot read it.
    pub(crate) fn find(here: &Path) -> Result<Self, Failure> {
        let mut command = MetadataCommand::new();
        // Without dependencies, so that nothing is resolved or fetched.
        command.no_deps().current_dir(here);
        let metadata = command.exec().map_err(|error| read_failure(here, error))?;
        choose_project(&metadata, here)
    }

    fn new(package: &Package, folder: PathBuf, metadata: &Metadata) -> Self {
        let name = package.name.to_string();
        let binary = package.default_run.as_deref().unwrap_or(&name);
        let program = format!("{binary}{}", std::env::consts::EXE_SUFFIX);
        Self {
            manifest: package.manifest_path.clone().into(),
            folder,
            has_aws: package.features.contains_key("aws"),
            program: metadata.target_directory.join("debug").join(program).into(),
            name,
        }
    }
}

fn choose_project(metadata: &Metadata, here: &Path) -> Result<Project, Failure> {
    let workspace = metadata.workspace_packages();
    let around = workspace
        .iter()
        .filter(|package| is_project(package))
        .filter_map(|package| Some((package, package.manifest_path.parent()?)))
        .filter(|(_, folder)| here.starts_with(folder))
        // The innermost package, where one is in a folder of another.
        .max_by_key(|(_, folder)| folder.as_str().len());
    if let Some((package, folder)) = around {
        return Ok(Project::new(package, folder.into(), metadata));
    }
    let root = metadata.workspace_root.as_std_path();
    let members = metadata.workspace_default_packages();
    let projects: Vec<&Package> = members
        .into_iter()
        .filter(|package| is_project(package))
        .collect();
    match projects[..] {
        [project] => Ok(Project::new(project, root.to_owned(), metadata)),
        [] => Err(Failure::usage(format!(
            "no package in `{}` is a Precip project: none has a program and depends on `precip`",
            root.display()
        ))
        .with_help("go to the folder of a project, or make one: `precip new NAME`")),
        [..] => {
            let names: Vec<String> = projects
                .iter()
                .map(|project| format!("`{}`", project.name))
                .collect();
            let message = format!(
                "several packages in `{}` are projects: {}",
                root.display(),
                names.join(", ")
            );
            Err(Failure::usage(message).with_help("go to the folder of one of them"))
        }
    }
}

/// Returns whether a package is a project: a program that depends on `precip`.
fn is_project(package: &Package) -> bool {
    let depends = |dependency: &cargo_metadata::Dependency| {
        dependency.name == "precip" && dependency.kind == DependencyKind::Normal
    };
    package.dependencies.iter().any(depends) && package.targets.iter().any(|target| target.is_bin())
}

fn read_failure(here: &Path, error: cargo_metadata::Error) -> Failure {
    match error {
        cargo_metadata::Error::CargoMetadata { stderr }
            if stderr.contains("could not find `Cargo.toml`") =>
        {
            Failure::usage(format!(
                "there is no project in `{}` or a folder above it",
                here.display()
            ))
            .with_help("go to the folder of a project, or make one: `precip new NAME`")
        }
        cargo_metadata::Error::CargoMetadata { stderr } => {
            Failure::environment(format!("cargo cannot read the project:\n{}", stderr.trim()))
        }
        cargo_metadata::Error::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            Failure::environment("`cargo` is missing").with_help("install Rust: https://rustup.rs")
        }
        error => Failure::environment(format!("cargo cannot describe the project: {error}")),
    }
}
