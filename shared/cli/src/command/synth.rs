//! `synth`: what is deployed on AWS, as files.

mod compare;
mod place;
mod write;

use std::{io::Write, path::Path};

use precip_synth::{Architecture, GeneratedFile, SynthOptions};

use crate::{
    args::{Processor, SynthArgs},
    exit::Exit,
    failure::Failure,
    session::Session,
};

/// Writes what is generated from the definitions, or with `--check` says how what is there differs
/// from it.
///
/// # Errors
/// [`Failure`] when the project asks for what AWS does not have, or files cannot be read or written.
pub fn synth(session: &Session, args: &SynthArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let files = generated(session, args)?;
    if args.check {
        check(session, &files, &args.out, out)
    } else {
        let written = write::write(&files, &args.out)?;
        for path in &written {
            writeln!(out, "{}", args.out.join(path).display())?;
        }
        let same = files.len() - written.len();
        let folder = args.out.display();
        session.say(&format!(
            "{} written, {same} as they were in {folder}",
            written.len()
        ));
        Ok(Exit::Done)
    }
}

fn generated(session: &Session, args: &SynthArgs) -> Result<Vec<GeneratedFile>, Failure> {
    let project = args.project.clone().unwrap_or_else(crate::app::program);
    let options = SynthOptions {
        project,
        environment: session.environment.clone(),
        architecture: match args.architecture {
            Processor::X86_64 => Architecture::X86_64,
            Processor::Arm64 => Architecture::Arm64,
        },
        code: place::seen_from(&args.out, &args.code)?,
    };
    let manifest = session.definitions.manifest();
    let files = precip_synth::synth(&manifest, &options)
        .map_err(|error| Failure::new(Exit::Definitions, error.to_string()))?;
    let findings = precip_synth::check::check(&files);
    if findings.is_empty() {
        return Ok(files);
    }
    let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
    Err(
        Failure::new(Exit::Definitions, "what was generated cannot be deployed")
            .detail(&found.join("\n")),
    )
}

fn check(
    session: &Session,
    files: &[GeneratedFile],
    folder: &Path,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let differences = compare::compare(files, folder)?;
    for difference in &differences {
        out.write_all(difference.as_bytes())?;
    }
    let (count, folder) = (differences.len(), folder.display());
    if count == 0 {
        session.say(&format!("`{folder}` is what the definitions give"));
        return Ok(Exit::Done);
    }
    let what = if count == 1 { "file is" } else { "files are" };
    Err(Failure::new(
        Exit::RunFailed,
        format!("{count} {what} not what the definitions give"),
    )
    .help(format!(
        "run `synth --out {folder}` and commit what it writes; do not change the files by hand"
    )))
}
