//! `describe`: the whole project as data.

use std::io::Write;

use precip_core::manifest::{ComponentManifest, EnvironmentManifest, Manifest, SettingSource};

use crate::{
    exit::Exit,
    failure::Failure,
    output::{Table, write_json},
    session::Session,
};

/// Writes the manifest of the project or the schema of manifests as JSON; without `--json`, a summary
/// with the settings of each environment.
///
/// # Errors
/// [`Failure`] when the answer cannot be written.
pub(crate) fn describe_project(
    session: &Session,
    schema: bool,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    if schema {
        write_json(out, &Manifest::schema())?;
        return Ok(Exit::Done);
    }
    let manifest = session.definitions.manifest();
    if session.json {
        write_json(out, &manifest)?;
    } else {
        write_summary(session, &manifest, out)?;
    }
    Ok(Exit::Done)
}

fn write_summary(
    session: &Session,
    manifest: &Manifest,
    out: &mut dyn Write,
) -> std::io::Result<()> {
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
        environment_rows(environment)
            .into_iter()
            .for_each(|row| table.add_row(row));
    }
    table.write_to(out)?;
    session.print_note("`--json` prints all of it, `--schema` the JSON Schema of that");
    Ok(())
}

fn environment_rows(environment: &EnvironmentManifest) -> Vec<[String; 5]> {
    let resources = environment
        .resources
        .iter()
        .map(|component| ("resource", component));
    let io_managers = environment
        .io_managers
        .iter()
        .map(|component| ("IO manager", component));
    let mut rows = Vec::new();
    for (kind, component) in resources.chain(io_managers) {
        let uses = format!("{kind} {}", component.name);
        rows.extend(setting_cells(component).map(|[reads, kept, needed]| {
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

fn setting_cells(component: &ComponentManifest) -> impl Iterator<Item = [String; 3]> {
    let read = component.settings.iter().map(|setting| {
        let kept = match (setting.source, setting.secret) {
            (SettingSource::Variable, false) => "environment",
            (SettingSource::Variable, true) => "environment, secret",
            (SettingSource::SecretsManager, _) => "secrets manager",
        };
        let needed = if setting.optional { "no" } else { "yes" };
        [setting.name.clone(), kept.to_owned(), needed.to_owned()]
    });
    let none = component
        .settings
        .is_empty()
        .then(|| ["-"; 3].map(str::to_owned));
    read.chain(none)
}
