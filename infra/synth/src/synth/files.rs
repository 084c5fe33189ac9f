//! [`synth`]: everything that is generated, as the contents of files.

use precip_core::{graph::AssetGraph, manifest::Manifest};

use super::{
    SynthError, SynthOptions,
    access::Access,
    machine::{Machine, Machines},
    materializer::Materializer,
    names::Placeholders,
    reactions::Reactions,
    settings::Settings,
    template::{Next, Template},
    triggers::Triggers,
};

/// CloudFormation's limits ("CloudFormation quotas" in its user guide).
const MOST_RESOURCES: usize = 500;
const MOST_PARAMETERS: usize = 200;
const MOST_BYTES: usize = 1_000_000;

/// A file that is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Where it is below the folder of what is generated, with `/` between folders.
    pub path: String,
    /// What is in it.
    pub contents: String,
}

impl GeneratedFile {
    /// A file.
    pub fn new(path: impl Into<String>, contents: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            contents: contents.into(),
        }
    }
}

/// What is generated: `template.yaml`, the state machines, `manifest.json`.
pub type Synthesized = Vec<GeneratedFile>;

/// Generates what is deployed of a project. The same project gives the same files.
///
/// # Errors
/// [`SynthError`] when the project asks for what AWS does not have; it says what to change.
pub fn synth(manifest: &Manifest, options: &SynthOptions) -> Result<Synthesized, SynthError> {
    options.validate()?;
    let graph = manifest.to_graph()?;
    let machines = Machines::of(&graph, &options.project)?;
    let template = template(manifest, &graph, &machines, options)?;
    let mut files = vec![
        GeneratedFile::new("template.yaml", template),
        GeneratedFile::new("manifest.json", described(manifest)?),
        machines.run,
        machines.backfill,
    ];
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn template(
    manifest: &Manifest,
    graph: &AssetGraph,
    machines: &Machines,
    options: &SynthOptions,
) -> Result<String, SynthError> {
    let materializers = Materializer::all(&manifest.ops)?;
    let placeholders = Placeholders::new(&materializers);
    let assets: usize = manifest.ops.iter().map(|op| op.spec.assets.len()).sum();
    let settings = Settings::of(manifest, options.environment.as_deref())?;
    let triggers = Triggers::of(manifest, graph, &settings)?;
    let reactions = Reactions::of(manifest, graph)?;
    // Each queue has its event source mapping; SAM makes a rule and a permission for what calls the
    // reactor after a deployment.
    let made = triggers.sensors.len() + if reactions.ticks { 2 } else { 0 };
    let template = Template {
        project: &options.project,
        description: format!("{}: {assets} data assets, made by Precip.", options.project),
        architecture: options.architecture,
        code_folder: &options.code,
        settings,
        triggers,
        reactions,
        run: Machine::new(&machines.run, &placeholders)?,
        backfill: Machine::new(&machines.backfill, &placeholders)?,
        materializers,
        access: Access::new(reactions),
        next: Next::COMMANDS,
    };
    let text = template.text()?;
    let share = "let ops that need about the same share a compute profile, or split the project";
    let less = "let resources and IO managers share settings, or read them from one secret";
    within("parameters", parameters(&text), MOST_PARAMETERS, less)?;
    within("resources", resources(&text) + made, MOST_RESOURCES, share)?;
    within("bytes", text.len(), MOST_BYTES, share)?;
    Ok(text)
}

/// The manifest without the places in the source, which change with every line that is added there.
fn described(manifest: &Manifest) -> Result<String, SynthError> {
    let mut manifest = manifest.clone();
    for op in &mut manifest.ops {
        op.details.source = None;
    }
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|error| SynthError::Template(error.to_string()))?;
    Ok(text + "\n")
}

/// How many resources every template becomes: those that are written, and the rule, the permission and the event source mapping that SAM makes of `Events`.
fn resources(text: &str) -> usize {
    const MADE_OF_EVENTS: usize = 3;
    section(text, "Resources:") + MADE_OF_EVENTS
}

fn parameters(text: &str) -> usize {
    section(text, "Parameters:")
}

/// How many entries a section has: each has its type on a line of its own.
fn section(text: &str, heading: &str) -> usize {
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    lines.filter(|line| line.starts_with("    Type: ")).count()
}

fn within(
    what: &'static str,
    found: usize,
    most: usize,
    instead: &'static str,
) -> Result<(), SynthError> {
    if found <= most {
        Ok(())
    } else {
        Err(SynthError::Limit {
            what,
            found,
            most,
            instead,
        })
    }
}
