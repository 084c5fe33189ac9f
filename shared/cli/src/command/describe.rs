//! `describe`: the whole project as data.

use std::io::Write;

use precip_core::manifest::{EnvironmentManifest, MadeManifest, Manifest, SettingSource};

use crate::{
    exit::Exit,
    failure::Failure,
    output::{Table, json},
    session::Session,
};

/// Writes the manifest of the project, or the schema of manifests; for a person, what each
/// environment reads.
///
/// # Errors
/// [`Failure`] when the answer cannot be written.
pub fn describe(session: &Session, schema: bool, out: &mut dyn Write) -> Result<Exit, Failure> {
    if schema {
        json(out, &Manifest::schema())?;
        return Ok(Exit::Done);
    }
    let manifest = session.definitions.manifest();
    if session.json {
        json(out, &manifest)?;
    } else {
        write(session, &manifest, out)?;
    }
    Ok(Exit::Done)
}

fn write(session: &Session, manifest: &Manifest, out: &mut dyn Write) -> std::io::Result<()> {
    let graph = session.definitions.graph();
    let counts = [
        ("assets", graph.len()),
        ("external assets", manifest.external_assets.len()),
        ("ops", manifest.ops.len()),
        ("checks", graph.checks().count()),
        ("dependencies", manifest.dependencies.len()),
    ];
    for (what, count) in counts {
        writeln!(out, "{what:<16} {count}")?;
    }
    writeln!(out)?;
    let mut table = Table::new(["ENVIRONMENT", "USES", "READS", "KEPT IN", "NEEDED"]);
    for environment in &manifest.environments {
        rows(environment).into_iter().for_each(|row| table.row(row));
    }
    table.write(out)?;
    session.say("`--json` writes all of it, `--schema` the JSON Schema of that");
    Ok(())
}

fn rows(environment: &EnvironmentManifest) -> Vec<[String; 5]> {
    let resources = environment.resources.iter().map(|made| ("resource", made));
    let io_managers = environment
        .io_managers
        .iter()
        .map(|made| ("IO manager", made));
    let mut rows = Vec::new();
    for (what, made) in resources.chain(io_managers) {
        let uses = format!("{what} {}", made.name);
        rows.extend(settings(made).map(|[reads, kept, needed]| {
            [environment.name.clone(), uses.clone(), reads, kept, needed]
        }));
    }
    if rows.is_empty() {
        let nothing = || "-".to_owned();
        rows.push([
            environment.name.clone(),
            nothing(),
            nothing(),
            nothing(),
            nothing(),
        ]);
    }
    rows
}

fn settings(made: &MadeManifest) -> impl Iterator<Item = [String; 3]> {
    let read = made.settings.iter().map(|setting| {
        let kept = match (setting.source, setting.secret) {
            (SettingSource::Variable, false) => "environment",
            (SettingSource::Variable, true) => "environment, secret",
            (SettingSource::SecretsManager, _) => "secrets manager",
        };
        let needed = if setting.optional { "no" } else { "yes" };
        [setting.name.clone(), kept.to_owned(), needed.to_owned()]
    });
    let none = made
        .settings
        .is_empty()
        .then(|| ["-"; 3].map(str::to_owned));
    read.chain(none)
}
