//! `synth`: the generated files of a deployment.

mod compare;
mod relative_path;
mod write;

use std::{io::Write, path::Path};

use precip_synth::{Architecture, GeneratedFile, SynthOptions};

use crate::{
    args::{Processor, SynthArgs},
    exit::Exit,
    failure::Failure,
    session::Session,
};

/// Generates the files of a deployment and writes them, or with `--check` shows how the existing files
/// differ.
///
/// # Errors
/// [`Failure`] when AWS cannot express the definitions, files cannot be read or written, or `--check`
/// finds a difference.
pub(crate) fn generate_deployment(
    session: &Session,
    args: &SynthArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let files = generate_files(session, args)?;
    if args.check {
        check_drift(session, &files, &args.out, out)
    } else {
        let written = write::write_files(&files, &args.out)?;
        for path in &written {
            writeln!(out, "{}", args.out.join(path).display())?;
        }
        let same = files.len() - written.len();
        let folder = args.out.display();
        session.print_note(&format!(
            "{} written, {same} unchanged in {folder}",
            written.len()
        ));
        Ok(Exit::Done)
    }
}

fn generate_files(session: &Session, args: &SynthArgs) -> Result<Vec<GeneratedFile>, Failure> {
    let named = args.project.as_ref().or(session.project.as_ref());
    let project = named.cloned().ok_or_else(|| {
        Failure::usage("the project's name is unknown").with_help(
            "add `--project NAME`, or pass the function itself to `precip::main`, not a pointer to it",
        )
    })?;
    let options = SynthOptions {
        project,
        environment: session.environment.clone(),
        architecture: match args.architecture {
            Processor::X86_64 => Architecture::X86_64,
            Processor::Arm64 => Architecture::Arm64,
        },
        code: relative_path::relative_path(&args.out, &args.code)?,
        cdk: args.cdk,
    };
    let manifest = session.definitions.manifest();
    let files = precip_synth::synth(&manifest, &options)
        .map_err(|error| Failure::new(Exit::Definitions, error.to_string()))?;
    let findings = precip_synth::check::check_files(&files);
    if findings.is_empty() {
        return Ok(files);
    }
    let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
    Err(
        Failure::new(Exit::Definitions, "the generated files cannot be deployed")
            .with_detail(&found.join("\n")),
    )
}

fn check_drift(
    session: &Session,
    files: &[GeneratedFile],
    folder: &Path,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let differences = compare::diff_files(files, folder)?;
    for difference in &differences {
        out.write_all(difference.as_bytes())?;
    }
    let (count, folder) = (differences.len(), folder.display());
    if count == 0 {
        session.print_note(&format!("`{folder}` is up to date"));
        return Ok(Exit::Done);
    }
    let files_are = if count == 1 { "file is" } else { "files are" };
    Err(Failure::new(
        Exit::RunFailed,
        format!("{count} {files_are} not what the definitions generate"),
    )
    .with_help(format!(
        "run `synth --out {folder}` and commit the result; do not edit the files by hand"
    )))
}
